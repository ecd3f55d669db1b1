// SPDX-License-Identifier: BSD-2-Clause
/* Clears memory at the next reset. */
#pragma once

/*
 * Asks the firmware to overwrite all memory before the next boot, if it can (TCG PC Client Platform Reset Attack
 * Mitigation Specification), as the EFI stub of Debian's kernels does (libstub/tpm.c, CONFIG_RESET_ATTACK_MITIGATION).
 * An operating system that has cleared its secrets from memory withdraws the request when it shuts down. Few do; then
 * each restart takes the time to overwrite all memory, so an entry can decline it.
 */
void memory_overwrite_request(void);
