// SPDX-License-Identifier: BSD-2-Clause
/*
 * Unified kernel images as the kernel of an entry. One is read as a file, so a section's content lies at its
 * PointerToRawData. An image whose sections would have other contents when firmware has loaded it is refused
 * (boot/unified_sections.h).
 */
#pragma once

#include <stddef.h>

#include "boot/unified_sections.h"

struct kernel_format;

/*
 * Recognises any PE image for x86-64 that has a section .linux, or a profile. Its plan has only `unified`; the plan of
 * the kernel inside is made when its bytes are there. A signature must cover all sections that count.
 */
extern const struct kernel_format unified_image_format;

/* How many initrds it has, in the order in which Linux wants them: microcode must come first. */
size_t unified_initrd_count(const struct unified_image *image);

/* Of number `index` of its initrds, counted from 0. */
enum unified_part unified_initrd(const struct unified_image *image, size_t index);
