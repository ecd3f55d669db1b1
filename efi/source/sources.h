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

/*
 * Prepares the volume or server that our image came from, our image itself, and the initrd that the program before us
 * has registered.
 */
void sources_start(struct sources *sources, const EFI_LOADED_IMAGE *image);

/*
 * Makes the volume that an entry names (boot/partuuid.h: volume_parse) the one that all parts are on, from now on. No
 * file of the present volume may be open. "" changes nothing.
 */
enum kexec_status sources_use_volume(struct sources *sources, const char *wanted);

/* The source that our image came from. Files beside the image have the same source. */
enum part_source sources_origin(const struct sources *sources);

/* The source for parts of this kind. */
struct source *sources_find(struct sources *sources, enum part_source kind);

/* Closes all sources. All files must be closed. */
void sources_close(struct sources *sources);
