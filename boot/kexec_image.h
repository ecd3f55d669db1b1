// SPDX-License-Identifier: BSD-2-Clause
/*
 * What will be handed over: the segments of kexec, each a range of physical memory with a name. The image owns every
 * allocation that lasts until the jump, so freeing it undoes a boot that failed on the way.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot/memory.h"
#include "boot/status.h"
#include "common/purgatory_abi.h"

/* When a segment's bytes are final, and so when they can be hashed. */
enum digest_stage {
	DIGEST_FILES, /* as they arrive: whoever reads the files into the segment hashes them, and the zeros behind */
	DIGEST_EARLY, /* before the boot services end */
	DIGEST_LATE,  /* after the last GetMemoryMap */
	DIGEST_NONE,  /* the purgatory, of which a part alone is hashed: boot/digest.c */
};

/* Names and order are those of struct kexec_segment in the kernel. Digests cover all of [mem, mem + memsz). */
struct kexec_segment {
	const char *name;
	uint64_t mem;	/* physical address */
	uint64_t bufsz; /* bytes of content */
	uint64_t memsz; /* bytes of content and of the zeros behind it, whole pages */
	enum digest_stage stage;
	struct memory_pages pages; /* all that belongs to it: may begin below mem and end above mem + memsz */
};

/* A zeroed image is an empty one. */
struct kexec_image {
	struct kexec_segment segments[KEXEC_SEGMENT_MAX];
	size_t count;

	/* Where the purgatory moves the kernel to, over whatever is there (boot/destination.h); of size 0: nowhere. */
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
 * Allocates a segment and adds it to the image, which owns it from here on. The contents are undefined. Refused are
 * a 17th segment, an empty one, one whose sizes contradict each other, and one that overlaps another or the destination
 * or wraps around the end of the address space. *ret_segment stays valid as long as the image does.
 */
enum kexec_status kexec_image_add_segment(struct kexec_image *kexec_image, const struct segment_request *request,
					  struct kexec_segment **ret_segment);

/*
 * The same for `size` bytes of data that need no place of their own: as high as can be below 4 GiB, where firmware can
 * read to, and above what BIOS, video memory and the kernel's trampoline use.
 */
enum kexec_status kexec_image_add_data(struct kexec_image *kexec_image, const char *name, uint64_t size,
				       enum digest_stage stage, struct kexec_segment **ret_segment);

/* Zeroes what lies between bufsz and memsz. Called once the segment is filled. */
void segment_seal(const struct kexec_segment *segment);

/* Prints each segment in the form that design.md promises to tools. */
void kexec_image_print(const struct kexec_image *kexec_image);

/* Frees all segments in reverse order. Harmless on an empty image. */
void kexec_image_free(struct kexec_image *kexec_image);
