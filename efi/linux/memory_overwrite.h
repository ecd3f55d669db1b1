// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of the memory at the next reset. */
#pragma once

/*
 * Asks the firmware to overwrite all memory before the next boot, where it can (TCG PC Client Platform Reset Attack
 * Mitigation Specification), as the EFI stub of Debian's kernels does (libstub/tpm.c,
 * CONFIG_RESET_ATTACK_MITIGATION). An operating system that has cleared its secrets from memory takes that back when it
 * shuts down. Few do, and then each restart takes the time to overwrite all memory, which an entry can decline.
 */
void memory_overwrite_request(void);
