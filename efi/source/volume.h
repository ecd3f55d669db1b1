// SPDX-License-Identifier: BSD-2-Clause
/* Files on a volume, through EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI specification 13.4 and 13.5). */
#pragma once

#include <efi.h>

#include "boot/source.h"

enum volume_role {
	VOLUME_OWN,   /* our image came from it, as whoever started the image says */
	VOLUME_OTHER, /* the entry names it */
};

struct volume {
	struct source source;
	EFI_HANDLE device; /* NULL: whoever started our image did not say */
	enum volume_role role;
	EFI_FILE_HANDLE root; /* NULL until the first file is opened */
};

/*
 * Says which device the volume is on. Names are paths (boot/volume_path.h); directories are refused. Nothing is opened
 * yet.
 */
void volume_start(struct volume *volume, EFI_HANDLE device, enum volume_role role);

/*
 * For folder.c: opens what lies at `path`, file or folder; the caller closes it. *ret_handle is NULL where nothing is
 * there, where the volume has no file system, and, with a warning, where it cannot be opened.
 */
enum kexec_status volume_open_folder(struct volume *volume, const char *path, EFI_FILE_HANDLE *ret_handle);

/* Closes the volume. Its files must be closed. Does no harm to one that is closed. */
void volume_close(struct volume *volume);
