// SPDX-License-Identifier: BSD-2-Clause
/*
 * Secure Boot: whether it is on. If that is unknown, it counts as on for code that enforces something
 * (secure_boot_may_be_on), and as off for code that relies on it (secure_boot_is_on).
 */
#pragma once

#include <stdbool.h>

#include "boot/bootparams.h"
#include "efi/services/variable.h"

/* Whether only trusted kernels may be booted: Secure Boot is not known to be off. */
bool secure_boot_may_be_on(void);

/*
 * Whether the platform's verdict on a kernel can be relied on: Secure Boot is known to be on. Firmware without Secure
 * Boot accepts every kernel. It does not matter here if shim's validation is off, because then the firmware is asked.
 */
bool secure_boot_is_on(void);

/*
 * Whether to ask shim about a kernel, if there is a shim. A shim that believes Secure Boot off, or whose validation its
 * owner has switched off (mokutil --disable-validation), accepts every kernel.
 */
bool secure_boot_shim_judges(void);

/*
 * The state that Linux is told, by the rule of the kernel's EFI stub (drivers/firmware/efi/libstub/secureboot.c): also
 * off if shim's validation is off. Unlike the stub, unknown if the variables are not the firmware's own.
 */
enum secure_boot_mode secure_boot_mode(void);

#define SECURE_BOOT_EXPLANATION_SIZE (VARIABLE_EXPLANATION_SIZE + 16)

/* Describes the state of Secure Boot for a message: "found it off", or "found it unknown" and the reason. */
void secure_boot_explain(char ret_text[SECURE_BOOT_EXPLANATION_SIZE]);
