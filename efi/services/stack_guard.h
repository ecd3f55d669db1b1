// SPDX-License-Identifier: BSD-2-Clause
/*
 * The compiler's stack protector (-fstack-protector): a value between a function's buffers and its return address,
 * which is compared before the function returns. A write beyond the end of a buffer ends the program instead of running
 * foreign code.
 */
#pragma once

#include <stdint.h>

/* Set by stack_guard_start. */
extern uint64_t stack_guard;

/*
 * Sets the guard to an unpredictable value: from the firmware's generator (EFI_RNG_PROTOCOL, UEFI specification 37.5),
 * else from the CPU's, else from its time stamp counter. Functions that are active during this call must not return.
 */
void stack_guard_start(void);

/*
 * Call this when the firmware is being left: from then on an overwritten stack halts the machine. Before, it returns to
 * the firmware.
 */
void stack_guard_leave_firmware(void);
