// SPDX-License-Identifier: BSD-2-Clause
/* All sources that the parts of a boot can come from. */
#pragma once

#include <efi.h>

#include "boot/plan.h"
#include "boot/section_source.h"
#include "boot/status.h"
#include "efi/network/network.h"
#include "efi/source/registered_initrd.h"
#include "efi/source/volume.h"

/* A zeroed one is closed. */
struct sources {
	EFI_HANDLE own_device;
	struct volume volume;
	struct section_source image;
	struct network network;
	struct registered_initrd registered;
};

/* The volume or server that our image came from, our image itself, and what the program before us has registered. */
void sources_start(struct sources *sources, const EFI_LOADED_IMAGE *image);

/*
 * Makes the volume that an entry names (boot/partuuid.h: volume_parse) the one that parts are on: from now on, and for
 * all. Nothing on the volume may be open. "" is none: the volume stays what it is.
 */
enum kexec_status sources_use_volume(struct sources *sources, const char *wanted);

/* Where our image came from, and so what lies beside it. */
enum part_source sources_origin(const struct sources *sources);

/* The source for parts of this kind. */
struct source *sources_find(struct sources *sources, enum part_source kind);

/* Closes what was opened. All files must be closed. */
void sources_close(struct sources *sources);
