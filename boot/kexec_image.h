// SPDX-License-Identifier: BSD-2-Clause
/*
 * The segments of kexec, each a range of physical memory with a name. The image owns every allocation that lasts until
 * the jump, so freeing it undoes a boot that failed on the way.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot/memory.h"
#include "boot/status.h"
#include "common/purgatory_abi.h"

/* When a segment's bytes are final and can be hashed. */
enum digest_stage {
	DIGEST_FILES, /* as they arrive: the code that reads the files hashes them, and the zeros behind */
	DIGEST_EARLY, /* before the boot services end */
	DIGEST_LATE,  /* after the last GetMemoryMap */
	DIGEST_NONE,  /* the purgatory, which is hashed only in part: boot/digest.c */
};

/* Names and order are those of struct kexec_segment in the kernel. Digests cover all of [mem, mem + memsz). */
struct kexec_segment {
	const char *name;
	uint64_t mem;	/* physical address */
	uint64_t bufsz; /* bytes of content */
	uint64_t memsz; /* bytes of content and of the zeros behind it, whole pages */
	enum digest_stage stage;
	struct memory_pages pages; /* all its pages: may begin below mem and end above mem + memsz */
};

/* A zeroed image is an empty one. */
struct kexec_image {
	struct kexec_segment segments[KEXEC_SEGMENT_MAX];
	size_t count;

	/* Where the purgatory moves the kernel to (boot/destination.h), over the old content; size 0: no move. */
	struct memory_pages destination;
};

struct segment_request {
	const char *name; /* a string literal shorter than REGION_NAME_SIZE */
	uint64_t bufsz;
	uint64_t memsz; /* at least bufsz; rounded up to whole pages */
	enum digest_stage stage;
	struct memory_request memory; /* memory.size may exceed memsz: working space, neither zeroed nor hashed */
};

/*
 * Allocates a segment and adds it to the image, which then owns it. The contents are undefined. Refuses a 17th segment,
 * an empty one, one whose sizes contradict each other, and one that overlaps another or the destination or wraps around
 * the end of the address space. *ret_segment stays valid as long as the image does.
 */
enum kexec_status kexec_image_add_segment(struct kexec_image *kexec_image, const struct segment_request *request,
					  struct kexec_segment **ret_segment);

/*
 * Adds a segment of `size` bytes for data without a fixed place: as high as possible below 4 GiB, where all firmware
 * can read to, and above the memory of BIOS, video and the kernel's trampoline.
 */
enum kexec_status kexec_image_add_data(struct kexec_image *kexec_image, const char *name, uint64_t size,
				       enum digest_stage stage, struct kexec_segment **ret_segment);

/* Zeroes the bytes between bufsz and memsz. Call it once the segment is filled. */
void segment_seal(const struct kexec_segment *segment);

/* Prints each segment in a format that tools may rely on (doc/messages.md). */
void kexec_image_print(const struct kexec_image *kexec_image);

/* Frees all segments in reverse order. Harmless on an empty image. */
void kexec_image_free(struct kexec_image *kexec_image);
