// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's file systems (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL: UEFI specification 13.4). */
#pragma once

#include <efi.h>
#include <stdbool.h>

/*
 * Finds the file system on `device`. If there is none yet, it first connects drivers to the device: firmware with a
 * fast boot connects few devices, and a driver loaded later may know the file system.
 */
EFI_STATUS file_system_on(EFI_HANDLE device, EFI_SIMPLE_FILE_SYSTEM_PROTOCOL **ret_file_system);

/* Whether the volume with this root has our own image at its path. */
bool file_system_has_our_image(EFI_FILE_HANDLE root);
