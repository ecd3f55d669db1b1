// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's file systems (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL: UEFI specification 13.4). */
#pragma once

#include <efi.h>
#include <stdbool.h>

/*
 * The file system on `device`. Where there is none yet, drivers are connected to the device first: firmware that starts
 * fast leaves out what it does not need itself, and a driver that was loaded later may know the file system.
 */
EFI_STATUS file_system_on(EFI_HANDLE device, EFI_SIMPLE_FILE_SYSTEM_PROTOCOL **ret_file_system);

/* Whether our own image lies at its path on the volume whose root this is. */
bool file_system_has_our_image(EFI_FILE_HANDLE root);
