// SPDX-License-Identifier: BSD-2-Clause
/* Names of volumes in messages. */
#pragma once

#include <efi.h>

#define VOLUME_NAME_SIZE 200

/*
 * Writes the PARTUUID of the partition `device`, or the text of its device path, and in quotes the label of the file
 * system behind `root`, unless root is NULL. Control characters become question marks.
 */
void volume_name(EFI_HANDLE device, EFI_FILE_HANDLE root, char ret_name[VOLUME_NAME_SIZE]);
