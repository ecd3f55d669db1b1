// SPDX-License-Identifier: BSD-2-Clause
/*
 * Secure Boot: whether it is on. That may be unknown, and then neither question of the two that follow is the other's
 * opposite: what is unknown counts as on where something is enforced, and as off where something is relied on.
 */
#pragma once

#include <stdbool.h>

#include "boot/bootparams.h"
#include "efi/services/variable.h"

/* Whether only what is vouched for may be booted: Secure Boot is not known to be off. */
bool secure_boot_may_be_on(void);

/*
 * Whether the platform's verdict on a kernel is worth something: Secure Boot is known to be on. Firmware without Secure
 * Boot accepts every kernel. That shim's validation is off does not count here: then the firmware is asked.
 */
bool secure_boot_is_on(void);

/*
 * Whether shim, where there is one, is to be asked about a kernel. A shim that believes Secure Boot off, or whose
 * validation its owner has switched off (mokutil --disable-validation), accepts every kernel.
 */
bool secure_boot_shim_judges(void);

/*
 * What Linux is told, by the rule of the kernel's EFI stub (drivers/firmware/efi/libstub/secureboot.c): off as well
 * where shim's validation is off. Unlike the stub, unknown where the variables are not the firmware's own.
 */
enum secure_boot_mode secure_boot_mode(void);

#define SECURE_BOOT_EXPLANATION_SIZE (VARIABLE_EXPLANATION_SIZE + 16)

/* Writes what is found instead of Secure Boot that is known to be on: "it off", or why the state is unknown. */
void secure_boot_explain(char ret_text[SECURE_BOOT_EXPLANATION_SIZE]);
