// SPDX-License-Identifier: BSD-2-Clause
/*
 * Measured boot: the events that this loader extends the TPM's registers with. SECURITY.md has the table, and
 * tools/predict-pcrs predicts the values.
 */
#pragma once

#include "boot/kexec_image.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "efi/load/load.h"

/*
 * Call it before asking the platform about the kernel, because LoadImage measures it. Use measure_start_again for an
 * entry that is tried after others in the same start.
 */
void measure_start(void);
void measure_start_again(void);

/* Whether there is a register to measure into. The caller may ask before measure_start. */
bool measure_is_possible(void);

/*
 * Measures the kernel's file in place, unless the platform already has. `was_shown`: the platform was asked about the
 * kernel. For a unified image it also measures the profile, the sections, and the options that the plan adds. The file
 * of our own image was measured by the program that started it.
 */
void measure_kernel(const struct boot_plan *plan, const struct kernel *kernel, bool was_shown);

/* Measures an initrd that an entry adds to a unified image, once it is loaded. `name` is its path. */
void measure_added_initrd(const char *name, const void *bytes, uint64_t size);

/*
 * Measures the plan's text, the initrds in place, if there are any, and the command line as it was written, which a NUL
 * must follow. The text of a plan for a unified image is not measured, but its additions to the image are. If the plan
 * has measured_as_image, its parts are measured as sections as well.
 */
void measure_rest(const struct boot_plan *plan, const struct kernel *kernel, const struct loaded_initrds *initrds,
		  struct text command_line);

/*
 * Measures that the entry was refused, if anything of the entry may be in a register. Call it if another entry is
 * tried. `was_shown`: the platform was asked about the kernel.
 */
void measure_refusal(const struct boot_plan *plan, bool was_shown);

/*
 * Call it as the last step that can refuse a boot. It caps the registers that the boot did not use. If the plan has
 * require_measurement, it refuses if a measurement failed, or if there is no register to measure into. If our image
 * vouches for the kernel, it refuses if a register lacks a measurement and could not be capped. In any other boot such
 * a register gets a warning.
 */
enum kexec_status measure_finish(const struct boot_plan *plan);
