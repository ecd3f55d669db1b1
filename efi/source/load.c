// SPDX-License-Identifier: BSD-2-Clause
/* Loads kernel, initrds and command line. */
#include "efi/source/load.h"

#include "boot/initrd.h"
#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/sha256.h"
#include "common/string.h"
#include "efi/services/cpu.h"
#include "efi/source/file.h"

/* Opens a file to be loaded. It is hashed as it is read if the entry has a digest for it. */
static enum kexec_status open_to_load(const struct entry *entry, struct text path, struct file *ret_file)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	enum kexec_status status;

	status = file_open(path, ret_file);
	if (status)
		return status;
	ret_file->is_hashed = entry_digest(entry, path, expected);
	return KEXEC_OK;
}

/* The file was read: nothing may follow, and it must be the one that the entry wants. */
static enum kexec_status finish_loading(const struct entry *entry, struct text path, struct file *file)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];
	char expected_text[DIGEST_TEXT_SIZE];
	char found_text[DIGEST_TEXT_SIZE];
	enum kexec_status status;

	status = file_expect_end(file);
	if (status)
		return status;
	file_show_done(file);
	if (!entry_digest(entry, path, expected))
		return KEXEC_OK;
	sha256_digest(&file->hash, found);
	if (sha256_equal(expected, found))
		return KEXEC_OK;
	format_digest(expected_text, expected);
	format_digest(found_text, found);
	return log_error(KEXEC_MISMATCH, "%s: sha256 mismatch: expected %s, found %s", file->path, expected_text,
			 found_text);
}

/* Reads the first bytes of the kernel, which say where it goes. */
static enum kexec_status plan_kernel(struct file *file, struct kernel *kernel)
{
	enum kexec_status status;

	kernel->file_size = file->size;
	kernel->probe_size = file->size < sizeof(kernel->probe) ? file->size : sizeof(kernel->probe);
	status = file_read(file, (uintptr_t)kernel->probe, kernel->probe_size, NULL);
	if (status)
		return status;
	return bzimage_parse(file->path, kernel->probe, kernel->probe_size, file->size, cpu_paging().five_levels,
			     &kernel->plan);
}

static enum kexec_status read_kernel(struct file *file, struct kexec_image *kexec_image, struct digest *digest,
				     struct kernel *kernel)
{
	struct kexec_segment *segment;
	struct segment_request request;
	enum kexec_status status;
	uint64_t addr;

	status = plan_kernel(file, kernel);
	if (status)
		return status;
	request = (struct segment_request){
		.name = "kernel",
		.bufsz = kernel->plan.kernel_size,
		.memsz = kernel->plan.kernel_size,
		.stage = DIGEST_EARLY,
		.memory = bzimage_memory_request(&kernel->plan, file->size),
	};
	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (status)
		return status;

	/* What the plan was made from is what lies in memory: the probe is not read again. */
	addr = segment->mem - kernel->plan.setup_size;
	memcpy(phys_to_ptr(addr), kernel->probe, kernel->probe_size);
	digest_open(digest, segment);
	digest_arrived(digest, addr, kernel->probe_size);
	kernel->segment = segment;
	kernel->file = phys_to_ptr(addr);
	return file_read(file, addr + kernel->probe_size, file->size - kernel->probe_size, digest);
}

enum kexec_status load_kernel(const struct entry *entry, struct kexec_image *kexec_image, struct digest *digest,
			      struct kernel *ret_kernel)
{
	enum kexec_status status;
	struct file file;

	status = open_to_load(entry, entry->linux_path, &file);
	if (status)
		return status;
	status = read_kernel(&file, kexec_image, digest, ret_kernel);
	if (!status)
		status = finish_loading(entry, entry->linux_path, &file);
	if (!status)
		log_verbose("kernel reserved 0x%016lx size 0x%016lx", ret_kernel->segment->mem,
			    ret_kernel->plan.init_size);
	file_close(&file);
	return status;
}

/* Opens each initrd for its size alone. */
static enum kexec_status measure_initrds(const struct entry *entry, uint64_t *ret_size)
{
	struct text rest = entry->text;
	uint64_t size = 0;
	struct text path;

	while (entry_next(&rest, ENTRY_INITRD, &path)) {
		enum kexec_status status;
		struct file file;
		uint64_t offset;

		status = file_open(path, &file);
		if (status)
			return status;
		file_close(&file);
		status = initrd_append(file.path, file.size, &size, &offset);
		if (status)
			return status;
	}
	*ret_size = size;
	return KEXEC_OK;
}

/* Reads one initrd behind the *size bytes that the segment holds so far, zeros in between. */
static enum kexec_status read_initrd(struct file *file, const struct kexec_segment *segment, struct digest *digest,
				     uint64_t *size)
{
	uint64_t end = *size;
	enum kexec_status status;
	uint64_t offset;

	status = initrd_append(file->path, file->size, size, &offset);
	if (status)
		return status;
	if (*size > segment->bufsz)
		return log_error(KEXEC_MISMATCH, "%s: changed while it was read: expected at most %lu bytes, found %lu",
				 file->path, segment->bufsz - offset, file->size);
	memset(phys_to_ptr(segment->mem + end), 0, offset - end);
	digest_arrived(digest, segment->mem + end, offset - end);
	return file_read(file, segment->mem + offset, file->size, digest);
}

static enum kexec_status read_initrds(const struct entry *entry, const struct kexec_segment *segment,
				      struct digest *digest)
{
	struct text rest = entry->text;
	uint64_t size = 0;
	struct text path;

	digest_open(digest, segment);
	while (entry_next(&rest, ENTRY_INITRD, &path)) {
		enum kexec_status status;
		struct file file;

		status = open_to_load(entry, path, &file);
		if (status)
			return status;
		status = read_initrd(&file, segment, digest, &size);
		if (!status)
			status = finish_loading(entry, path, &file);
		file_close(&file);
		if (status)
			return status;
	}
	if (size != segment->bufsz)
		return log_error(KEXEC_MISMATCH, "initrds changed while they were read: expected %lu bytes, found %lu",
				 segment->bufsz, size);
	digest_close(digest, segment);
	return KEXEC_OK;
}

enum kexec_status load_initrds(const struct entry *entry, const struct kernel *kernel, struct kexec_image *kexec_image,
			       struct digest *digest, const struct kexec_segment **ret_segment)
{
	struct segment_request request = { .name = "initrd", .stage = DIGEST_EARLY };
	struct kexec_segment *segment;
	enum kexec_status status;
	uint64_t size;

	*ret_segment = NULL;
	status = measure_initrds(entry, &size);
	if (status || size == 0)
		return status;
	request.bufsz = size;
	request.memsz = size;
	request.memory = bzimage_initrd_request(&kernel->plan, size);
	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (status)
		return status;
	*ret_segment = segment;
	return read_initrds(entry, segment, digest);
}

enum kexec_status load_command_line(const struct entry *entry, const struct kernel *kernel,
				    struct kexec_image *kexec_image, const struct kexec_segment **ret_segment)
{
	size_t length = entry_command_line_size(entry);
	struct kexec_segment *segment;
	enum kexec_status status;

	if (length > kernel->plan.cmdline_size)
		return log_error(KEXEC_TOO_LARGE,
				 "options: expected at most %lu bytes (the kernel's cmdline_size), found %zu",
				 kernel->plan.cmdline_size, length);
	status = kexec_image_add_data(kexec_image, "cmdline", length + 1, DIGEST_EARLY, &segment);
	if (status)
		return status;
	entry_command_line(entry, phys_to_ptr(segment->mem));
	*ret_segment = segment;
	return KEXEC_OK;
}
