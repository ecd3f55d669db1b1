// SPDX-License-Identifier: BSD-2-Clause
/* What lies in a folder of a volume (EFI_FILE_PROTOCOL.Read of a directory: UEFI specification 13.5). */
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
 * Lists a folder of the volume; `path` is one of boot/volume_path.h. Where there is no such folder, or the volume has
 * no file system, it is empty. What cannot be opened, or is a file, is named in a warning, and is empty as well:
 * whether there is a folder is not known. A folder that is there and cannot be read is refused.
 *
 * The caller frees it with folder_free. *ret_folder is written on success only.
 */
enum kexec_status folder_list(struct volume *volume, const char *path, struct folder *ret_folder);

/* Does no harm to an empty one. */
void folder_free(struct folder *folder);
