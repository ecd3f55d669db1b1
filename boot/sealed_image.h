// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a PE image holds to be booted, in sections that the image's own signature covers: an entry (.entry), or a
 * unified kernel image (uapi-group.org/specifications/specs/unified_kernel_image).
 */
#pragma once

#include <stdbool.h>

#include "boot/pe.h"
#include "boot/plan.h"
#include "boot/status.h"

/* Whether something is sealed in the image. If so, nothing outside the image may say what to boot. */
bool sealed_image_found(const struct pe_image *image);

/*
 * Makes a plan of what is sealed in the image. A sealed entry names files on the volume and has a digest for each. In a
 * unified kernel image the parts are the sections .linux, .ucode and .initrd, and .cmdline is the command line, its
 * control characters replaced by blanks.
 *
 * The caller frees the plan with boot_plan_free. *ret_plan is written on success only.
 */
enum kexec_status sealed_image_to_plan(const struct pe_image *image, struct boot_plan *ret_plan);
