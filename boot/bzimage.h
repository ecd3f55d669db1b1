// SPDX-License-Identifier: BSD-2-Clause
/*
 * The format of kernels for x86: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". Messages use the
 * offsets of that document.
 *
 * The lead of a bzImage is its boot sector and setup sectors. Its content is the protected-mode part, which goes to
 * [addr, addr + init_size). addr is at or above pref_address: below it the decompressor moves itself up and overwrites
 * the memory behind it (arch/x86/boot/compressed/head_64.S). A kernel that is not relocatable goes only to pref_address
 * (boot/destination.h). A signature must cover the setup header, which is copied to the zero page, and the whole
 * protected-mode part.
 */
#pragma once

#include "boot/kernel_format.h"

/* Offset of the 64-bit entry point in the protected-mode part: boot.rst, "64-bit boot protocol". */
#define BZIMAGE_ENTRY_64_OFFSET 0x200u

extern const struct kernel_format bzimage_format;
