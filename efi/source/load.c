// SPDX-License-Identifier: BSD-2-Clause
/* Loads kernel, initrds and command line. */
#include "efi/source/load.h"

#include "boot/initrd.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/sha256.h"
#include "common/string.h"
#include "efi/services/clock.h"
#include "efi/services/cpu_mode.h"
#include "efi/source/stream.h"

/* Hashes a part while it arrives, for the purgatory and for the digest that the plan wants. */
struct hashing_sink {
	struct sink sink;
	struct digest *digest; /* NULL: not yet at its place, so the purgatory will not see these bytes */
	bool is_checked;
	struct sha256 hash;
};

/*
 * First for the purgatory, then for the check against the plan: a change before, or in between, is one that the check
 * finds, and one after that is the purgatory's.
 */
static void hash_piece(struct sink *sink, uint64_t addr, uint64_t size)
{
	struct hashing_sink *hashing = (struct hashing_sink *)sink;

	if (hashing->digest) {
		clock_enter(PHASE_HASH);
		digest_arrived(hashing->digest, addr, size);
	}
	if (hashing->is_checked) {
		clock_enter(PHASE_CHECK);
		sha256_update(&hashing->hash, phys_to_ptr(addr), size);
	}
}

static struct hashing_sink start_hashing(const struct boot_part *part)
{
	struct hashing_sink hashing = { .sink = { .take = hash_piece }, .is_checked = part->has_digest };

	if (hashing.is_checked)
		sha256_start(&hashing.hash);
	return hashing;
}

/* The part was read: nothing may follow, and it must be the one that the plan wants. */
static enum kexec_status finish_part(const struct boot_part *part, struct stream *stream,
				     const struct hashing_sink *hashing)
{
	uint8_t found[SHA256_DIGEST_SIZE];
	char expected_text[DIGEST_TEXT_SIZE];
	char found_text[DIGEST_TEXT_SIZE];
	enum kexec_status status;

	status = stream_expect_end(stream);
	if (status)
		return status;
	stream_show_done(stream);
	if (!part->has_digest)
		return KEXEC_OK;
	sha256_digest(&hashing->hash, found);
	if (sha256_equal(part->digest, found))
		return KEXEC_OK;
	format_digest(expected_text, part->digest);
	format_digest(found_text, found);
	return log_error(KEXEC_MISMATCH, "%s: sha256 mismatch: expected %s, found %s", part->name, expected_text,
			 found_text);
}

/* Reads the first bytes of the kernel, which say where it goes. */
static enum kexec_status plan_kernel(struct stream *stream, struct hashing_sink *hashing, struct kernel *kernel)
{
	struct kernel_probe probe = {
		.name = kernel->part->name,
		.bytes = kernel->probe,
		.file_size = stream->file.size,
		.paging = cpu_paging(),
	};
	enum kexec_status status;

	probe.size = probe.file_size < sizeof(kernel->probe) ? probe.file_size : sizeof(kernel->probe);
	kernel->file_size = probe.file_size;
	kernel->probe_size = probe.size;
	status = stream_read(stream, (uintptr_t)kernel->probe, probe.size, &hashing->sink);
	if (status)
		return status;
	return kernel_plan_file(&probe, &kernel->plan);
}

static enum kexec_status place_kernel(struct kexec_image *kexec_image, struct kernel *kernel)
{
	const struct segment_request request = {
		.name = "kernel",
		.bufsz = kernel->plan.content_size,
		.memsz = kernel->plan.content_size,
		.stage = DIGEST_EARLY,
		.memory = kernel->plan.memory,
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (status)
		return status;
	kernel->segment = segment;
	kernel->file = phys_to_ptr(segment->mem - kernel->plan.lead_size);
	return KEXEC_OK;
}

static enum kexec_status read_kernel(struct stream *stream, struct hashing_sink *hashing,
				     const struct load_target *target, struct kernel *kernel)
{
	enum kexec_status status;
	uint64_t addr;

	status = plan_kernel(stream, hashing, kernel);
	if (status)
		return status;
	status = place_kernel(target->kexec_image, kernel);
	if (status)
		return status;

	/* What the plan was made from is what lies in memory: the probe is not read again. */
	addr = (uintptr_t)kernel->file;
	memcpy(phys_to_ptr(addr), kernel->probe, kernel->probe_size);
	digest_open(target->digest, kernel->segment);
	digest_arrived(target->digest, addr, kernel->probe_size);
	hashing->digest = target->digest;
	return stream_read(stream, addr + kernel->probe_size, kernel->file_size - kernel->probe_size, &hashing->sink);
}

enum kexec_status load_kernel(const struct boot_plan *plan, const struct load_target *target, struct kernel *ret_kernel)
{
	const struct boot_part *part = &plan->kernel;
	struct hashing_sink hashing = start_hashing(part);
	enum kexec_status status;
	struct stream stream;

	status = stream_open(sources_find(target->sources, part->source), part->name, &stream);
	if (status)
		return status;
	ret_kernel->part = part;
	status = read_kernel(&stream, &hashing, target, ret_kernel);
	if (!status)
		status = finish_part(part, &stream, &hashing);
	if (!status)
		log_verbose("kernel reserved 0x%016lx size 0x%016lx", ret_kernel->segment->mem,
			    ret_kernel->plan.init_size);
	stream_close(&stream);
	return status;
}

/* The initrds while they are loaded. */
struct initrd_loader {
	const struct boot_plan *plan;
	struct digest *digest;
	struct stream *streams; /* one for each initrd, zeroed until it is opened */
	const struct kexec_segment *segment;
};

/* Opens all of them, and finds out how large they are together. */
static enum kexec_status open_initrds(const struct initrd_loader *loader, struct sources *sources, uint64_t *ret_size)
{
	uint64_t size = 0;

	for (size_t i = 0; i < loader->plan->initrd_count; i++) {
		const struct boot_part *part = &loader->plan->initrds[i];
		struct stream *stream = &loader->streams[i];
		enum kexec_status status;
		uint64_t offset;

		status = stream_open(sources_find(sources, part->source), part->name, stream);
		if (status)
			return status;
		status = initrd_append(part->name, stream->file.size, &size, &offset);
		if (status)
			return status;
	}
	*ret_size = size;
	return KEXEC_OK;
}

static void close_initrds(const struct initrd_loader *loader)
{
	for (size_t i = 0; i < loader->plan->initrd_count; i++)
		stream_close(&loader->streams[i]);
}

static enum kexec_status place_initrds(const struct kernel *kernel, uint64_t size, struct kexec_image *kexec_image,
				       struct initrd_loader *loader)
{
	const struct segment_request request = {
		.name = "initrd",
		.bufsz = size,
		.memsz = size,
		.stage = DIGEST_EARLY,
		.memory = kernel_initrd_request(&kernel->plan, size),
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (!status)
		loader->segment = segment;
	return status;
}

/* Reads one initrd behind the *size bytes that the segment holds so far, zeros in between. */
static enum kexec_status read_initrd(const struct initrd_loader *loader, size_t index, uint64_t *size)
{
	const struct boot_part *part = &loader->plan->initrds[index];
	struct stream *stream = &loader->streams[index];
	struct hashing_sink hashing = start_hashing(part);
	uint64_t start = loader->segment->mem;
	uint64_t end = *size;
	enum kexec_status status;
	uint64_t offset;

	status = initrd_append(part->name, stream->file.size, size, &offset);
	if (status)
		return status;
	memset(phys_to_ptr(start + end), 0, offset - end);
	digest_arrived(loader->digest, start + end, offset - end);
	hashing.digest = loader->digest;
	status = stream_read(stream, start + offset, stream->file.size, &hashing.sink);
	if (status)
		return status;
	return finish_part(part, stream, &hashing);
}

static enum kexec_status read_initrds(const struct initrd_loader *loader)
{
	uint64_t size = 0;

	digest_open(loader->digest, loader->segment);
	for (size_t i = 0; i < loader->plan->initrd_count; i++) {
		enum kexec_status status = read_initrd(loader, i, &size);

		if (status)
			return status;
	}
	digest_close(loader->digest, loader->segment);
	return KEXEC_OK;
}

enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, const struct kexec_segment **ret_segment)
{
	struct initrd_loader loader = { .plan = plan, .digest = target->digest };
	size_t streams_size = plan->initrd_count * sizeof(*loader.streams);
	enum kexec_status status;
	uint64_t size;

	*ret_segment = NULL;
	if (!plan->initrd_count)
		return KEXEC_OK;
	status = pool_alloc(streams_size, "initrds", (void **)&loader.streams);
	if (status)
		return status;
	memset(loader.streams, 0, streams_size);
	status = open_initrds(&loader, target->sources, &size);
	if (!status)
		status = place_initrds(kernel, size, target->kexec_image, &loader);
	if (!status)
		status = read_initrds(&loader);
	if (!status)
		*ret_segment = loader.segment;
	close_initrds(&loader);
	pool_free(loader.streams);
	return status;
}

enum kexec_status load_command_line(const struct boot_plan *plan, const struct kernel *kernel,
				    struct kexec_image *kexec_image, const struct kexec_segment **ret_segment)
{
	struct text text = plan->command_line;
	struct kexec_segment *segment;
	enum kexec_status status;

	if (text.length > kernel->plan.cmdline_size)
		return log_error(KEXEC_TOO_LARGE,
				 "options: expected at most %lu bytes (the kernel's cmdline_size), found %zu",
				 kernel->plan.cmdline_size, text.length);
	status = kexec_image_add_data(kexec_image, "cmdline", text.length + 1, DIGEST_EARLY, &segment);
	if (status)
		return status;
	memcpy(phys_to_ptr(segment->mem), text.start, text.length + 1);
	*ret_segment = segment;
	return KEXEC_OK;
}
