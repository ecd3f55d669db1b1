// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a kernel file says of itself: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". Offsets in
 * messages are those of that document.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memory.h"
#include "boot/status.h"
#include "boot/text.h"

/* So much of a kernel file is read before it is known where the whole goes. The header lies within. */
#define BZIMAGE_PROBE_SIZE 4096u

/* Offset of the 64-bit entry point in the protected-mode part: boot.rst, "64-bit boot protocol". */
#define BZIMAGE_ENTRY_64_OFFSET 0x200u

/* The plan: what of the file goes where. */
struct bzimage {
	uint64_t setup_size;   /* boot sector and setup sectors: the protected-mode part begins there */
	uint64_t kernel_size;  /* bytes of the protected-mode part; a signature may follow in the file */
	uint64_t init_size;    /* memory that the kernel uses from its load address on before it knows of any other */
	uint64_t cmdline_size; /* the longest command line, its NUL not counted */
	uint64_t pref_address;
	uint64_t alignment;
	uint64_t initrd_max; /* the highest address that a byte of the initrd may have */
	bool relocatable;
	bool above_4g; /* kernel, boot_params and command line may lie anywhere */
};

/*
 * Checks the header of the kernel `path` and draws up the plan. `probe` holds the first bytes of the file,
 * `probe_size` of them, the least of BZIMAGE_PROBE_SIZE and `file_size`. `la57`: the CPU runs with 5-level page
 * tables, and not every kernel can be entered so.
 */
enum kexec_status bzimage_parse(const char *path, const uint8_t *probe, size_t probe_size, uint64_t file_size,
				bool la57, struct bzimage *ret_kernel);

/* The highest address that this kernel can be told of. */
uint64_t bzimage_max_addr(const struct bzimage *kernel);

/*
 * Where the kernel may go: [addr, addr + init_size) with addr at or above pref_address, since below it the
 * decompressor moves itself up and overwrites what lies behind (arch/x86/boot/compressed/head_64.S); the setup
 * sectors right below addr, so that the file lies there in one piece, the whole of it even where it is longer than
 * init_size. A kernel that is not relocatable goes to pref_address alone.
 */
struct memory_request bzimage_memory_request(const struct bzimage *kernel, uint64_t file_size);

/* Where an initrd of `size` bytes may go: as high as can be, but rather below 4 GiB, where firmware can read to. */
struct memory_request bzimage_initrd_request(const struct bzimage *kernel, uint64_t size);

/*
 * Refuses a kernel that would run bytes which its signature does not cover: the setup header, which is copied to the
 * zero page, and the protected-mode part have to be covered wholly. `file` is the whole file, which has been planned as
 * `kernel`.
 */
enum kexec_status bzimage_check_signed(struct text path, const struct bzimage *kernel, const uint8_t *file,
				       uint64_t file_size);
