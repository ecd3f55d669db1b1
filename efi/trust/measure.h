// SPDX-License-Identifier: BSD-2-Clause
/* Measured boot: what this loader puts into the TPM. The table is in SECURITY.md, tools/predict-pcrs foretells it. */
#pragma once

#include "boot/kexec_image.h"
#include "boot/plan.h"
#include "efi/source/load.h"

/* Called before the platform is asked about the kernel: asking LoadImage measures it. */
void measure_start(void);

/* Measures the kernel's file, where it lies, unless the platform has. `was_shown`: it was asked about the kernel. */
void measure_kernel(const struct kernel *kernel, bool was_shown);

/*
 * Measures, in this order, the plan's text; the initrds, if there are any; the command line. All where they lie. Then
 * closes the registers that nothing was measured into: what comes after us must not choose their values.
 */
void measure_rest(const struct boot_plan *plan, const struct kexec_segment *initrd,
		  const struct kexec_segment *cmdline);

/*
 * Whether the boot may go on, all having been measured. A plan that is sealed in our image is refused where a register
 * could still become what it would have been: the TPM would then give a secret to somebody else. One that requires
 * measurement is refused where anything was not measured, or nobody can tell. Any other gets a warning.
 */
enum kexec_status measure_check(const struct boot_plan *plan);
