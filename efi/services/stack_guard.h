// SPDX-License-Identifier: BSD-2-Clause
/*
 * The compiler's stack protector (-fstack-protector): a value between a function's buffers and its return
 * address, compared before the function returns. A buffer that is written beyond its end ends the program, not in
 * somebody's code.
 */
#pragma once

#include <stdint.h>

/* Set by stack_guard_start. */
extern uint64_t stack_guard;

/*
 * Gives the guard a value that nobody can know beforehand: from the firmware's generator (EFI_RNG_PROTOCOL, UEFI
 * specification 37.5), else from the CPU's, else from its time stamp counter. Functions that are at work when this is
 * called must not return.
 */
void stack_guard_start(void);

/*
 * The firmware is being left: from here on a stack that was overwritten halts the machine. Before, the firmware goes
 * on.
 */
void stack_guard_leave_firmware(void);
