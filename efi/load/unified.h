// SPDX-License-Identifier: BSD-2-Clause
/* For load.c: reads unified images. */
#pragma once

#include "efi/load/load.h"
#include "efi/load/part.h"

/* Reads the unified image that `kernel` was planned from. */
enum kexec_status unified_read(struct part_reader *reader, const struct boot_plan *plan,
			       const struct load_target *target, struct kernel *kernel);

/* In load.c: adds a segment for the kernel according to its plan. */
enum kexec_status load_place_kernel(struct kexec_image *kexec_image, struct kernel *kernel);
