// SPDX-License-Identifier: BSD-2-Clause
/* Files on a volume, through EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI specification 13.4 and 13.5). */
#pragma once

#include <efi.h>

#include "boot/source.h"

enum volume_role {
	VOLUME_OWN,   /* our image came from it, according to the program that started the image */
	VOLUME_OTHER, /* the entry names it */
};

struct volume {
	struct source source;
	EFI_HANDLE device; /* NULL: the program that started our image did not say */
	enum volume_role role;
	EFI_FILE_HANDLE root; /* NULL until the first file is opened */
};

/*
 * Sets the device of the volume. Names are paths (boot/volume_path.h); directories are refused. Nothing is opened yet.
 */
void volume_start(struct volume *volume, EFI_HANDLE device, enum volume_role role);

/*
 * For folder.c: opens the file or folder at `path`; the caller closes it. *ret_handle is NULL if nothing is there, if
 * the volume has no file system, and, after a warning, if it cannot be opened.
 */
enum kexec_status volume_open_folder(struct volume *volume, const char *path, EFI_FILE_HANDLE *ret_handle);

/* Closes the volume. Its files must be closed. Harmless on a closed volume. */
void volume_close(struct volume *volume);
