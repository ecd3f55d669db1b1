// SPDX-License-Identifier: BSD-2-Clause
/* What messages call a volume. */
#pragma once

#include <efi.h>

#define VOLUME_NAME_SIZE 200

/*
 * Writes the PARTUUID of the partition that `device` is, or the text of its device path, and the label of the file
 * system behind `root` in quotes, unless root is NULL. Characters that would command a console become question marks.
 */
void volume_name(EFI_HANDLE device, EFI_FILE_HANDLE root, char ret_name[VOLUME_NAME_SIZE]);
