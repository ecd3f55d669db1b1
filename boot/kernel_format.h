// SPDX-License-Identifier: BSD-2-Clause
/*
 * Formats of kernel files, like struct kexec_file_ops in Linux (include/linux/kexec.h). A format recognises a file by
 * its first bytes, checks them, and plans the file's place. The rest of the loader knows nothing about formats.
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
 * Bytes of a kernel file to read before its place is known. They include all headers: those of a PE image have room for
 * about 195 sections.
 */
#define KERNEL_PROBE_SIZE 8192u

/* The beginning of a kernel file, and other input of the decision whether it can boot. */
struct kernel_probe {
	const char *name; /* for messages */
	const uint8_t *bytes;
	size_t size; /* the smaller of KERNEL_PROBE_SIZE and file_size */
	uint64_t file_size;
	bool has_profile;     /* the user asked for one */
	uint32_t profile;     /* of a unified image; 0 by default */
	struct paging paging; /* the CPU's mode: some kernels cannot be entered with 5-level page tables */
};

struct kernel_format;

/*
 * The place of a kernel file. It lies in memory in one piece: `lead_size` bytes, then `content_size` bytes from the
 * load address on, then perhaps more, such as a signature. The lead is a multiple of REGION_ALIGN (common/region.h), so
 * that the zeros behind the file do not pass the end of its last page.
 */
struct kernel_plan {
	const struct kernel_format *format;
	uint64_t lead_size;
	uint64_t content_size;
	uint64_t init_size;    /* memory from the load address on that the kernel uses before it knows of any other */
	uint64_t entry_offset; /* of the 64-bit entry point, from the load address */
	uint64_t cmdline_size; /* of the longest command line, without its NUL */
	struct memory_request memory;	     /* for the whole file and the kernel's working space */
	struct memory_request initrd_memory; /* for an initrd; the caller sets its size */

	/*
	 * For the file of a kernel that runs only at memory.min, if that place is taken (boot/destination.h). For all
	 * others its size is 0.
	 */
	struct memory_request elsewhere;

	struct unified_image unified; /* of a unified image, whose plan has only this and a format */
};

/* A range of a file. */
struct file_range {
	uint64_t start;
	uint64_t end; /* of the first byte behind it */
};

#define KERNEL_SIGNED_RANGES_MAX UNIFIED_PARTS

struct kernel_format {
	const char *name;

	/* Whether the file claims this format. Logs nothing. */
	bool (*probe)(const struct kernel_probe *probe);

	/* Checks the file's headers and plans its place. Logs the first error. */
	enum kexec_status (*plan)(const struct kernel_probe *probe, struct kernel_plan *ret_plan);

	/* Lists the ranges of the file that run or that Linux gets. Returns their number. */
	size_t (*signed_ranges)(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX]);
};

/*
 * Recognises the file and plans its place. Refuses a file that no format recognises, and names its kind
 * (boot/file_kind.h). For a file of unknown kind, the first format's message says which field differs.
 */
enum kexec_status kernel_plan_file(const struct kernel_probe *probe, struct kernel_plan *ret_plan);

/* Returns the request for the memory of an initrd of `size` bytes. */
struct memory_request kernel_initrd_request(const struct kernel_plan *plan, uint64_t size);

/* Refuses a command line of `length` bytes, without its NUL, if the kernel would truncate it. */
enum kexec_status kernel_check_command_line(const struct kernel_plan *plan, uint64_t length);

/*
 * Refuses a kernel if its signature does not cover all bytes that would run. `file` is the whole file that `plan` was
 * made from. It does not check whether the signature is good.
 */
enum kexec_status kernel_check_signed(const char *name, const struct kernel_plan *plan, const uint8_t *file,
				      uint64_t file_size);

/*
 * Whether the file's Authenticode digest, by any implementation, depends on each byte that runs. It does not if there
 * are gaps between sections, or if the file is not a PE image. To measure such a kernel, hash the file as it is.
 */
bool kernel_authenticode_covers(const struct kernel_plan *plan, const uint8_t *file, uint64_t file_size);
