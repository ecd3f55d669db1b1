// SPDX-License-Identifier: BSD-2-Clause
/* Lists a folder of a volume (EFI_FILE_PROTOCOL.Read of a directory: UEFI specification 13.5). */
#pragma once

#include "boot/status.h"
#include "efi/source/volume.h"

/* A folder with more entries than this is refused, as is a listing that never ends. */
#define FOLDER_ENTRIES_MAX 4096u

struct folder_name {
	struct folder_name *next;
	char text[]; /* with a NUL */
};

/* The files that can be sidecars by their names (boot/sidecar.h). A zeroed one is empty. */
struct folder {
	struct folder_name *names; /* sorted by their bytes, as systemd-stub does; of the pool */
};

/*
 * Lists a folder of the volume; `path` is one of boot/volume_path.h. The list is empty if there is no such folder, or
 * the volume has no file system. After a warning it is also empty if the path cannot be opened, so that it is unknown
 * whether there is a folder, or if it is a file. Fails if the folder exists and cannot be read.
 *
 * The caller frees it with folder_free. *ret_folder is written on success only.
 */
enum kexec_status folder_list(struct volume *volume, const char *path, struct folder *ret_folder);

/* Harmless on an empty one. */
void folder_free(struct folder *folder);
