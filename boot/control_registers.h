// SPDX-License-Identifier: BSD-2-Clause
/*
 * Computes the bits of CR0 and CR4 that let code use vector registers (Intel SDM volume 3, "Initialization of the SSE
 * Extensions"). The UEFI specification (2.3.4) requires firmware to clear CR0.EM and CR0.TS, and does not mention
 * CR4.OSFXSR. edk2 sets it. U-Boot does not, and there the first vector instruction raises an invalid opcode.
 */
#pragma once

#include <stdint.h>

struct control_registers {
	uint64_t cr0;
	uint64_t cr4;
};

/* Returns `found`, with these bits as vector registers need them. */
struct control_registers control_registers_for_vectors(struct control_registers found);

/* Returns `now`, with these bits as they were `before`. */
struct control_registers control_registers_as_before(struct control_registers now, struct control_registers before);
