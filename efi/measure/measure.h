// SPDX-License-Identifier: BSD-2-Clause
/* Measured boot: what this loader puts into the TPM. The table is in SECURITY.md, tools/predict-pcrs foretells it. */
#pragma once

#include "boot/kexec_image.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "efi/load/load.h"

/*
 * Called before the platform is asked about the kernel: asking LoadImage measures it. measure_start_again is for an
 * entry that is tried after others in the same start.
 */
void measure_start(void);
void measure_start_again(void);

/* Whether there is a register to measure into. May be asked before measure_start. */
bool measure_is_possible(void);

/*
 * Measures the kernel's file, where it lies, unless the platform has. `was_shown`: it was asked about the kernel. Of a
 * unified image, measures the profile, the sections, and the options that the plan adds as well; our own image, as a
 * file, was measured by whoever started it.
 */
void measure_kernel(const struct boot_plan *plan, const struct kernel *kernel, bool was_shown);

/*
 * Measures an initrd that an entry adds to a unified image, once it is loaded. `name` is its path.
 */
void measure_added_initrd(const char *name, const void *bytes, uint64_t size);

/*
 * Measures the plan's text; the initrds, if there are any, where they lie; the command line as it was written, which a
 * NUL follows. The text of a plan for a unified image is not measured: what it adds to the image is. If the plan has
 * measured_as_image, its parts are measured as sections as well.
 */
void measure_rest(const struct boot_plan *plan, const struct kernel *kernel, const struct loaded_initrds *initrds,
		  struct text command_line);

/*
 * The entry is refused, and another one is tried: measures that, if anything of the entry may be in a register.
 * `was_shown`: the platform was asked about the kernel.
 */
void measure_refusal(const struct boot_plan *plan, bool was_shown);

/*
 * Called as the last step that can refuse a boot. Caps the registers that the boot had nothing for. Refuses where a
 * measurement failed or there is nowhere to measure, if the plan has require_measurement; and if our image vouches for
 * the kernel, where a register misses a measurement and could not be capped either. Any other boot gets a warning.
 */
enum kexec_status measure_finish(const struct boot_plan *plan);
