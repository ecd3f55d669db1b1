// SPDX-License-Identifier: BSD-2-Clause
/*
 * Unified kernel images as the kernel of an entry. An image is read as a file, so a section's content lies at its
 * PointerToRawData. An image is refused if its sections would have other contents after the firmware had loaded it
 * (boot/unified_sections.h).
 */
#pragma once

#include <stddef.h>

#include "boot/unified_sections.h"

struct kernel_format;

/*
 * Recognises any PE image for x86-64 that has a section .linux, or a profile. Its plan has only `unified`. The kernel
 * inside is planned when its bytes have been read. A signature must cover all sections that count.
 */
extern const struct kernel_format unified_image_format;

/* The number of its initrds, which are in Linux's order: microcode must come first. */
size_t unified_initrd_count(const struct unified_image *image);

/* Initrd `index`, counted from 0. */
enum unified_part unified_initrd(const struct unified_image *image, size_t index);
