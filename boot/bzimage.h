// SPDX-License-Identifier: BSD-2-Clause
/*
 * The format of kernels for x86: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". Offsets in messages
 * are those of that document.
 *
 * The lead of a bzImage is its boot sector and setup sectors, its content the protected-mode part. That goes to
 * [addr, addr + init_size) with addr at or above pref_address: below it the decompressor moves itself up and overwrites
 * what lies behind (arch/x86/boot/compressed/head_64.S). A kernel that is not relocatable goes to pref_address only
 * (boot/destination.h). A signature must cover the setup header, which is copied to the zero page, and the whole
 * protected-mode part.
 */
#pragma once

#include "boot/kernel_format.h"

/* Offset of the 64-bit entry point in the protected-mode part: boot.rst, "64-bit boot protocol". */
#define BZIMAGE_ENTRY_64_OFFSET 0x200u

extern const struct kernel_format bzimage_format;
