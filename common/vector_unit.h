// SPDX-License-Identifier: BSD-2-Clause
/*
 * Turns AVX on for a short time if it is off. Firmware needs only CR4.OSFXSR (UEFI specification, 2.3.4), and edk2 sets
 * no more. In the purgatory the rest of CR4 belongs to the kernel. So these functions set CR4.OSXSAVE and XCR0, and put
 * both back after the registers were used. Nothing else sees the state in between, or can be harmed by it:
 *
 * - Interrupts are off, even if AVX was on, because the firmware's handlers may save only xmm. So no handler, timer or
 *   notification of the firmware runs, nor anything that one of those starts.
 * - An exception in the purgatory goes to its handler (start.asm, handler.c), which uses no vector registers, reports
 *   and never returns. The runtime services that it calls find AVX on, as under every operating system. An exception in
 *   the loader goes to the firmware's handler, which ends the boot.
 * - An NMI returns. The purgatory's handler touches neither vector registers nor XCR0, leaves CR4 as it was, and does
 *   not call the firmware while something is hashed (go_on_after_nmi). The firmware's handler either ends the boot, as
 *   edk2's does, or saves the registers that it uses; those are xmm, since it was built to run with AVX off.
 * - An SMI enters with a CR4 of its own, and RSM puts ours back. Its handler saves the vector registers that it uses,
 *   since it also interrupts operating systems that have AVX on.
 * - A hypervisor intercepts XSETBV, and may intercept CR4. That costs microseconds, so callers hash many leaves between
 *   the two calls. CPUID does not show what the hypervisor does not offer, so XSETBV raises no exception.
 * - Other processors have control registers of their own, and run no code of ours.
 *
 * Code that hashes with AVX ends with VZEROUPPER, so the upper halves of the ymm registers are in their initial state
 * again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The state before vector_unit_avx_on. */
struct vector_unit {
	bool is_privileged; /* if so, interrupts are off until vector_unit_avx_off */
	bool was_off;
	uint64_t rflags;
	uint64_t cr4;
	uint64_t xcr0;
};

/* Whether ymm registers may be used between the two functions below: AVX is on, or can be turned on here. */
bool vector_unit_has_avx(void);

/* Turns interrupts off, and AVX on if it is off. Only if vector_unit_has_avx(). */
void vector_unit_avx_on(struct vector_unit *ret_before);

/* Restores the earlier state. */
void vector_unit_avx_off(const struct vector_unit *before);
