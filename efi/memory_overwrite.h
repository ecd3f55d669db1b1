// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of the memory at the next reset. */
#pragma once

/*
 * Asks the firmware to overwrite all memory before the next boot, where it can (TCG PC Client Platform Reset Attack
 * Mitigation Specification). An operating system that has cleared its secrets from memory takes that back when it shuts
 * down. Few do, and then each restart takes the time to overwrite all memory: so an entry has to ask for it, as a
 * kernel's EFI stub has to be built for it (CONFIG_RESET_ATTACK_MITIGATION: libstub/tpm.c).
 */
void memory_overwrite_request(void);
