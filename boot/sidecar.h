// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sidecars of a unified image: files beside it, or for all images of a volume, that systemd-stub adds to the initrd or
 * to the command line (systemd-stub(7), "Companion Files").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/text.h"

/* Shared by all images of a volume. */
#define SIDECARS_CREDENTIALS "\\loader\\credentials"
#define SIDECARS_EXTENSIONS "\\loader\\extensions"
#define SIDECARS_ADDONS "\\loader\\addons"

enum sidecar {
	SIDECAR_NONE,	    /* any other file */
	SIDECAR_CREDENTIAL, /* *.cred */
	SIDECAR_SYSEXT,	    /* *.raw */
	SIDECAR_CONFEXT,    /* *.confext.raw */
	SIDECAR_ADDON,	    /* *.addon.efi: a PE image with sections of a unified image, without a kernel */
};

/* The kind of a file, by its name. The case of letters does not matter. */
enum sidecar sidecar_kind(struct text name);

/* The longest name of a sidecar: that of any file on Linux. */
#define SIDECAR_NAME_MAX 255u

/*
 * Whether a file of this name can be a sidecar: visible ASCII without separators, no longer than SIDECAR_NAME_MAX, and
 * not hidden (.name). systemd-stub skips the same names, except those with separators and control characters, which no
 * file system should have.
 */
bool sidecar_is_name(struct text name);

/*
 * Writes the path of the folder with an image's own sidecars, with a NUL: IMAGE.efi.extra.d beside IMAGE.efi. It leaves
 * out systemd-boot's boot counter, so that IMAGE+3-1.efi has the same folder. The separators in `path` are / or \.
 * Returns false if it does not fit in `capacity` bytes.
 */
bool sidecar_folder(struct text path, char *ret_folder, size_t capacity);
