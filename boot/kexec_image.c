// SPDX-License-Identifier: BSD-2-Clause
/* The list of segments. It refuses bad ones. */
#include "boot/kexec_image.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"

static enum kexec_status check_request(const struct kexec_image *kexec_image, const struct segment_request *request)
{
	const char *name = request->name;

	if (kexec_image->count == KEXEC_SEGMENT_MAX)
		return log_error(KEXEC_TOO_LARGE, "segment %s: expected at most %u segments, this is one more", name,
				 KEXEC_SEGMENT_MAX);
	if (request->bufsz == 0)
		return log_error(KEXEC_BAD_FORMAT, "segment %s: expected at least 1 byte, found 0", name);
	if (request->memsz < request->bufsz)
		return log_error(KEXEC_BAD_FORMAT, "segment %s: content of 0x%lx bytes, but memory for 0x%lx", name,
				 request->bufsz, request->memsz);
	if (request->memory.size < request->memsz)
		return log_error(KEXEC_BAD_FORMAT, "segment %s: 0x%lx bytes to place, but 0x%lx asked for", name,
				 request->memsz, request->memory.size);
	return KEXEC_OK;
}

static bool overlap(const struct memory_pages *one, const struct memory_pages *other)
{
	return one->addr < other->addr + other->size && other->addr < one->addr + one->size;
}

/* A segment may be older than the destination, like that of a unified image's initrd. */
static enum kexec_status check_destination(const struct memory_pages *destination, const struct kexec_segment *segment)
{
	const struct memory_pages *pages = &segment->pages;

	if (!overlap(pages, destination))
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT,
			 "segment %s: [0x%lx, 0x%lx) overlaps the kernel's fixed place [0x%lx, 0x%lx)", segment->name,
			 pages->addr, pages->addr + pages->size, destination->addr,
			 destination->addr + destination->size);
}

static enum kexec_status check_overlap(const struct kexec_image *kexec_image, const struct kexec_segment *segment)
{
	const struct memory_pages *pages = &segment->pages;
	const struct memory_pages *destination = &kexec_image->destination;
	enum kexec_status status = check_destination(destination, segment);

	for (size_t i = 0; !status && i < kexec_image->count; i++) {
		const struct memory_pages *other = &kexec_image->segments[i].pages;

		status = check_destination(destination, &kexec_image->segments[i]);
		if (!status && overlap(pages, other))
			return log_error(KEXEC_BAD_FORMAT, "segment %s: [0x%lx, 0x%lx) overlaps %s at [0x%lx, 0x%lx)",
					 segment->name, pages->addr, pages->addr + pages->size,
					 kexec_image->segments[i].name, other->addr, other->addr + other->size);
	}
	return status;
}

/* Checks even the allocator's result, because it comes from the firmware. */
static enum kexec_status check_place(const struct kexec_image *kexec_image, const struct kexec_segment *segment)
{
	const struct memory_pages *pages = &segment->pages;
	uint64_t end;

	if (pages->size > UINT64_MAX - pages->addr)
		return log_error(KEXEC_BAD_FORMAT, "segment %s: 0x%lx bytes at 0x%lx pass the end of memory",
				 segment->name, pages->size, pages->addr);
	end = pages->addr + pages->size;
	if (segment->mem < pages->addr || segment->mem > end || segment->memsz > end - segment->mem)
		return log_error(KEXEC_BAD_FORMAT,
				 "segment %s: [0x%lx, +0x%lx) is not within its pages [0x%lx, +0x%lx)", segment->name,
				 segment->mem, segment->memsz, pages->addr, pages->size);
	return check_overlap(kexec_image, segment);
}

enum kexec_status kexec_image_add_segment(struct kexec_image *kexec_image, const struct segment_request *request,
					  struct kexec_segment **ret_segment)
{
	struct kexec_segment segment = { .name = request->name, .bufsz = request->bufsz, .stage = request->stage };
	struct memory_request memory = request->memory;
	enum kexec_status status;

	status = check_request(kexec_image, request);
	if (status)
		return status;
	if (request->memsz > UINT64_MAX - PAGE_SIZE)
		return log_error(KEXEC_TOO_LARGE, "segment %s: 0x%lx bytes cannot be placed", request->name,
				 request->memsz);
	segment.memsz = align_up(request->memsz, PAGE_SIZE);

	memory.avoid = kexec_image->destination;
	status = memory_alloc(&memory, request->name, &segment.mem, &segment.pages);
	if (status)
		return status;
	status = check_place(kexec_image, &segment);
	if (status) {
		memory_free(&segment.pages);
		return status;
	}
	kexec_image->segments[kexec_image->count] = segment;
	*ret_segment = &kexec_image->segments[kexec_image->count++];
	return KEXEC_OK;
}

enum kexec_status kexec_image_add_data(struct kexec_image *kexec_image, const char *name, uint64_t size,
				       enum digest_stage stage, struct kexec_segment **ret_segment)
{
	struct segment_request request = {
		.name = name,
		.bufsz = size,
		.memsz = size,
		.stage = stage,
		.memory = {
			.kind = MEMORY_DATA,
			.top_down = true,
			.size = size,
			.align = PAGE_SIZE,
			.min = LOW_MEMORY_END,
			.max = UINT32_MAX,
		},
	};

	return kexec_image_add_segment(kexec_image, &request, ret_segment);
}

void segment_seal(const struct kexec_segment *segment)
{
	memset(phys_to_ptr(segment->mem + segment->bufsz), 0, segment->memsz - segment->bufsz);
}

void kexec_image_print(const struct kexec_image *kexec_image)
{
	for (size_t i = 0; i < kexec_image->count; i++) {
		const struct kexec_segment *segment = &kexec_image->segments[i];

		log_verbose("segment %s mem 0x%016lx bufsz 0x%016lx memsz 0x%016lx", segment->name, segment->mem,
			    segment->bufsz, segment->memsz);
	}
}

void kexec_image_free(struct kexec_image *kexec_image)
{
	while (kexec_image->count)
		memory_free(&kexec_image->segments[--kexec_image->count].pages);
	kexec_image->destination = (struct memory_pages){ 0 };
}
