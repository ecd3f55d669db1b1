// SPDX-License-Identifier: BSD-2-Clause
/* Secure Boot: whether it is on, and what then may be booted. */
#pragma once

#include "boot/bootparams.h"
#include "boot/entry.h"
#include "boot/status.h"

/* By the rule of the kernel's EFI stub: drivers/firmware/efi/libstub/secureboot.c. */
enum secure_boot_mode secure_boot_mode(void);

/*
 * Refuses what asks for a kernel signature to be verified, which this version cannot do: an entry with `signature
 * require`, and any entry where Secure Boot is on, or may be.
 */
enum kexec_status secure_boot_check(const struct entry *entry);
