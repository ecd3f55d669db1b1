// SPDX-License-Identifier: BSD-2-Clause
/*
 * Formats of kernel files, as struct kexec_file_ops are in Linux (include/linux/kexec.h). A format recognises a file by
 * its first bytes, checks them, and says where the file goes. The loader knows nothing else of a kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memory.h"
#include "boot/pagetable.h"
#include "boot/status.h"
#include "boot/unified_image.h"

/*
 * So many bytes of a kernel file are read before it is known where the file goes. All headers lie within: those of a PE
 * image have room for about 195 sections.
 */
#define KERNEL_PROBE_SIZE 8192u

/* The beginning of a kernel file, and what else decides whether it can be booted. */
struct kernel_probe {
	const char *name; /* for messages */
	const uint8_t *bytes;
	size_t size; /* the smaller of KERNEL_PROBE_SIZE and file_size */
	uint64_t file_size;
	bool has_profile;     /* somebody asks for one */
	uint32_t profile;     /* of a unified image; 0 unless somebody asks for another */
	struct paging paging; /* how the CPU runs: not every kernel can be entered with 5-level page tables */
};

struct kernel_format;

/*
 * Where a kernel file goes. It lies in memory in one piece: `lead_size` bytes, then the load address, from which on
 * `content_size` bytes run. More may follow in the file, such as a signature. The lead is a multiple of REGION_ALIGN
 * (common/region.h), so that the zeros behind the file end before its last page does.
 */
struct kernel_plan {
	const struct kernel_format *format;
	uint64_t lead_size;
	uint64_t content_size;
	uint64_t init_size;    /* memory that the kernel uses from its load address on before it knows of any other */
	uint64_t entry_offset; /* of the 64-bit entry point from the load address */
	uint64_t cmdline_size; /* of the longest command line, its NUL not counted */
	struct memory_request memory;	     /* for the whole file and the kernel's working space */
	struct memory_request initrd_memory; /* for an initrd; its size is 0 until it is known */

	/*
	 * Of a kernel that runs at memory.min only: for its file, if that place is taken (boot/destination.h). Of size
	 * 0 for all others.
	 */
	struct memory_request elsewhere;

	struct unified_image unified; /* of a unified image, which has nothing else of the above but a format */
};

/* A range of a file. */
struct file_range {
	uint64_t start;
	uint64_t end; /* of the byte behind it */
};

#define KERNEL_SIGNED_RANGES_MAX UNIFIED_PARTS

struct kernel_format {
	const char *name;

	/* Whether the file claims to be of this format. Logs nothing. */
	bool (*probe)(const struct kernel_probe *probe);

	/* Checks the file's headers and plans its place. Logs the first thing that is wrong. */
	enum kexec_status (*plan)(const struct kernel_probe *probe, struct kernel_plan *ret_plan);

	/* Lists the ranges of the file that run, or that Linux is told of. Returns how many there are. */
	size_t (*signed_ranges)(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX]);
};

/*
 * Recognises the file and plans its place. A file that no format recognises is refused for what it is
 * (boot/file_kind.h); one that resembles nothing is judged by the first format, whose message says which field differs.
 */
enum kexec_status kernel_plan_file(const struct kernel_probe *probe, struct kernel_plan *ret_plan);

/* Where an initrd of `size` bytes may go. */
struct memory_request kernel_initrd_request(const struct kernel_plan *plan, uint64_t size);

/* Refuses a command line of so many bytes, its NUL not counted, if the kernel would cut it off. */
enum kexec_status kernel_check_command_line(const struct kernel_plan *plan, uint64_t length);

/*
 * Refuses a kernel that would run bytes which its signature does not cover. `file` is the whole file, of which `plan`
 * was made. Whether the signature is good is not asked here.
 */
enum kexec_status kernel_check_signed(const char *name, const struct kernel_plan *plan, const uint8_t *file,
				      uint64_t file_size);

/*
 * Whether the Authenticode digest of the file depends on each byte that runs, whoever makes it. It does not where there
 * are gaps between sections, nor for a file that is no PE image: who measures such a kernel must hash the file as it
 * is.
 */
bool kernel_authenticode_covers(const struct kernel_plan *plan, const uint8_t *file, uint64_t file_size);
