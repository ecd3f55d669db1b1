// SPDX-License-Identifier: BSD-2-Clause
/* Secure Boot: whether it is on. */
#pragma once

#include <stdbool.h>

#include "boot/bootparams.h"

/*
 * What Linux is told, by the rule of the kernel's EFI stub (drivers/firmware/efi/libstub/secureboot.c): off as well
 * where the machine's owner has switched shim's validation off.
 */
enum secure_boot_mode secure_boot_mode(void);

/*
 * Whether only what is vouched for may be booted: the firmware's Secure Boot is on, or cannot be read. That shim's
 * validation is off does not count: it is shim's to say, when it is asked about a kernel.
 */
bool secure_boot_enforced(void);
