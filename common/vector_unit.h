// SPDX-License-Identifier: BSD-2-Clause
/*
 * AVX for a short time where nobody has turned it on. Firmware needs no more than CR4.OSFXSR (UEFI specification,
 * 2.3.4) and edk2 sets no more, and what is left of CR4 in the purgatory is the kernel's. So CR4.OSXSAVE and XCR0 are
 * set, the registers used, and both are put back. Nothing else sees the state in between, or can be harmed by it:
 *
 * - Interrupts are off, also where AVX was on, since firmware's handlers may save no more than xmm: no handler,
 *   timer or notification of the firmware runs, nor anything that one of those starts.
 * - An exception of the purgatory's goes to its handler (start.asm, handler.c), which uses no vector registers, reports
 *   and never returns. The runtime services that it calls find AVX on, as under every operating system. An exception of
 *   the loader's goes to the firmware's handler, which ends the boot.
 * - An NMI returns. The purgatory's handler touches neither vector registers nor XCR0, leaves CR4 as it was, and calls
 *   no firmware while something is hashed (go_on_after_nmi). The firmware's handler either ends the boot, as edk2's
 *   does, or saves the registers that it uses; those are xmm, since it was built to run with AVX off.
 * - An SMI enters with a CR4 of its own, and RSM puts ours back. Its handler saves the vector registers that it uses,
 *   since it also interrupts operating systems, with AVX on.
 * - A hypervisor intercepts XSETBV, and it may intercept CR4: that costs microseconds, which is why it is not done for
 *   each few leaves. What it does not offer is missing in CPUID, so XSETBV raises no exception.
 * - Other processors have control registers of their own, and none of them works for us.
 *
 * What is hashed with AVX ends with VZEROUPPER: the registers that xmm does not reach are in their initial state again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How it was before. */
struct vector_unit {
	bool is_privileged; /* interrupts are off in between */
	bool was_off;
	uint64_t rflags;
	uint64_t cr4;
	uint64_t xcr0;
};

/* Whether ymm registers may be used between the two functions below: AVX is on, or can be turned on here. */
bool vector_unit_has_avx(void);

/* Turns interrupts off, and AVX on if it is off. Only where vector_unit_has_avx. */
void vector_unit_avx_on(struct vector_unit *ret_before);

/* Puts back what was changed. */
void vector_unit_avx_off(const struct vector_unit *before);
