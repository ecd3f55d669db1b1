// SPDX-License-Identifier: BSD-2-Clause
/* Writes descriptors and gates. */
#include "boot/descriptor_tables.h"

#include "common/string.h"

/* Base 0, limit 4 GiB; present, privilege level 0, accessed, so that the CPU never writes to the table. */
#define DESCRIPTOR_CODE 0x00af9b000000ffffull /* G=1 L=1; code, readable */
#define DESCRIPTOR_DATA 0x00cf93000000ffffull /* G=1 B=1; data, writable */

/*
 * Linux 3.8, the first with a 64-bit entry, loads the task register from 0x20 before it has a GDT of its own
 * (arch/x86/boot/compressed/head_64.S, startup_64). Later versions do not. Nothing uses it. It takes two entries.
 */
#define SELECTOR_TASK 0x20
#define DESCRIPTOR_TASK 0x0080890000000000ull /* base 0, limit 4 KiB - 1; G=1; present, 64-bit TSS, available */

#define SELECTOR_SIZE 8
#define SELECTOR_NOT_IN_GDT 7u /* the bits of table and privilege level */

/* Present, privilege level 0, 64-bit interrupt gate (Intel SDM volume 3, figure 6-8). */
#define GATE_INTERRUPT 0x8e00

static void put(uint64_t gdt[GDT_ENTRIES], uint16_t selector, uint64_t descriptor)
{
	gdt[selector / SELECTOR_SIZE] = descriptor;
}

/* Whether `descriptor` fits at `selector`, or is already there. */
static bool fits(const uint64_t gdt[GDT_ENTRIES], uint16_t selector, uint64_t descriptor)
{
	if (selector & SELECTOR_NOT_IN_GDT || selector == 0 || selector / SELECTOR_SIZE >= GDT_ENTRIES)
		return false;
	/* The upper half of the task's descriptor is 0, but not free. */
	if (selector == SELECTOR_TASK + SELECTOR_SIZE)
		return false;
	return gdt[selector / SELECTOR_SIZE] == 0 || gdt[selector / SELECTOR_SIZE] == descriptor;
}

bool gdt_build(uint64_t gdt[GDT_ENTRIES], const struct segments *before)
{
	memset(gdt, 0, GDT_ENTRIES * sizeof(gdt[0]));
	put(gdt, SELECTOR_CODE, DESCRIPTOR_CODE);
	put(gdt, SELECTOR_DATA, DESCRIPTOR_DATA);
	put(gdt, SELECTOR_TASK, DESCRIPTOR_TASK);
	if (!fits(gdt, before->code, DESCRIPTOR_CODE))
		return false;
	/* In 64-bit mode the stack's selector may be 0. */
	if (before->stack && (before->stack == before->code || !fits(gdt, before->stack, DESCRIPTOR_DATA)))
		return false;
	put(gdt, before->code, DESCRIPTOR_CODE);
	if (before->stack)
		put(gdt, before->stack, DESCRIPTOR_DATA);
	return true;
}

void idt_build(struct idt_gate idt[IDT_GATES], uint16_t selector, uint64_t entries)
{
	for (uint64_t i = 0; i < IDT_GATES; i++) {
		uint64_t entry = entries + i * EXCEPTION_ENTRY_SIZE;

		idt[i] = (struct idt_gate){
			.offset_low = (uint16_t)entry,
			.selector = selector,
			.flags = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)(entry >> 32),
		};
	}
}
