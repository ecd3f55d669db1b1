// SPDX-License-Identifier: BSD-2-Clause
/* Changes only the five bits for vector registers. The others are the firmware's. */
#include "boot/control_registers.h"

#define CR0_MP (1ull << 1) /* TS applies to WAIT as well: recommended, and set by every operating system */
#define CR0_EM (1ull << 2) /* no floating-point unit: vector instructions are invalid opcodes */
#define CR0_TS (1ull << 3) /* task switched: the first use of vector registers raises an exception */
#define CR0_BITS (CR0_MP | CR0_EM | CR0_TS)

#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_BITS (CR4_OSFXSR | CR4_OSXMMEXCPT)

struct control_registers control_registers_as_before(struct control_registers now, struct control_registers before)
{
	return (struct control_registers){
		.cr0 = (now.cr0 & ~CR0_BITS) | (before.cr0 & CR0_BITS),
		.cr4 = (now.cr4 & ~CR4_BITS) | (before.cr4 & CR4_BITS),
	};
}

struct control_registers control_registers_for_vectors(struct control_registers found)
{
	const struct control_registers on = { .cr0 = CR0_MP, .cr4 = CR4_BITS };

	return control_registers_as_before(found, on);
}
