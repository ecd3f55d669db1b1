// SPDX-License-Identifier: BSD-2-Clause
/* Finds the volume that an entry names. */
#pragma once

#include <efi.h>

#include "boot/status.h"

/*
 * Finds the partition that `wanted` names (boot/partuuid.h: volume_parse). `own` is the device that our image came
 * from, or NULL if it is unknown. Types are searched only on its disk, as the Boot Loader Specification says; a
 * PARTUUID on all disks. If several partitions have one PARTUUID, as on a cloned disk, it takes the one on our own
 * disk, and fails if there is not exactly one.
 *
 * The partition must have a file system that the firmware reads. *ret_device is written only on success.
 */
enum kexec_status find_volume(const char *wanted, EFI_HANDLE own, EFI_HANDLE *ret_device);
