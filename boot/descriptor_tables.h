// SPDX-License-Identifier: BSD-2-Clause
/*
 * The GDT and the IDT between firmware and kernel. The loader loads them with the first instruction after
 * ExitBootServices, while the CPU still uses the firmware's segments. So they contain those segments too, and at every
 * moment an NMI finds a handler.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

/* __BOOT_CS and __BOOT_DS of the 64-bit boot protocol (Documentation/arch/x86/boot.rst). */
#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18

/* The segment registers while the firmware runs. */
struct segments {
	uint16_t code;
	uint16_t stack;
};

/*
 * Writes the GDT: the kernel's segments, and flat segments like the firmware's at the selectors in `before`. Returns
 * false if that is impossible, because a selector is beyond the table, is of an LDT or of another privilege level, or
 * has another meaning for the kernel. Then the table has only the kernel's segments.
 */
bool gdt_build(uint64_t gdt[GDT_ENTRIES], const struct segments *before);

/*
 * Writes the IDT: gate N leads to `entries` + N * EXCEPTION_ENTRY_SIZE in the code segment `selector`, with interrupts
 * off.
 */
void idt_build(struct idt_gate idt[IDT_GATES], uint16_t selector, uint64_t entries);
