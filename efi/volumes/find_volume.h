// SPDX-License-Identifier: BSD-2-Clause
/* Finds the volume that an entry names. */
#pragma once

#include <efi.h>

#include "boot/status.h"

/*
 * Finds the partition that `wanted` names (boot/partuuid.h: volume_parse). `own` is the device that our image came
 * from, NULL if that is unknown. The types are looked for on its disk only, as the Boot Loader Specification has it; a
 * PARTUUID on all disks. Of several partitions with one PARTUUID, as on a disk that was cloned, the one on our own disk
 * is meant; if that does not decide it, none is.
 *
 * Has a file system that the firmware reads, or is refused. *ret_device is written on success only.
 */
enum kexec_status find_volume(const char *wanted, EFI_HANDLE own, EFI_HANDLE *ret_device);
