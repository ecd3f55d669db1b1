// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of the memory at the next reset. */
#pragma once

/*
 * Asks the firmware to overwrite all memory before the next boot, where it can (TCG PC Client Platform Reset Attack
 * Mitigation Specification), as the kernel's EFI stub does (libstub/tpm.c). An operating system that has cleared its
 * secrets from memory takes that back when it shuts down.
 */
void memory_overwrite_request(void);
