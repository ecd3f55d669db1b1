// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's console beyond boot/log.h, which efi/console.c implements as well. */
#pragma once

/* Returns when a key has been pressed, or after `seconds`; at once where there is no keyboard. */
void console_wait_for_key(unsigned seconds);
