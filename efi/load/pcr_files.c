// SPDX-License-Identifier: BSD-2-Clause
/* Reads a signature and its key. */
#include "efi/load/pcr_files.h"

#include "boot/log.h"
#include "common/region.h"
#include "common/string.h"
#include "efi/load/part.h"

/* A file in memory, with its digest and zeros behind it up to the end of the digest's range. */
struct file {
	struct text content;
	uint8_t *digest;
};

/* Reads a file that is open. */
static enum kexec_status read_open(struct part_reader *reader, struct digest *digest, struct extras *extras,
				   struct file *ret_file)
{
	uint64_t size = part_size(reader);
	enum kexec_status status;
	void *memory;
	void *hash;

	if (!size || size > PCR_FILE_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected 1 to %u bytes, found %lu", reader->part->name,
				 PCR_FILE_SIZE_MAX, size);
	status = extras_alloc(extras, region_covered(size), &memory);
	if (!status)
		status = extras_alloc(extras, SHA256_DIGEST_SIZE, &hash);
	if (status)
		return status;
	memset(memory, 0, region_covered(size));
	status = part_load_unhashed(reader, (uintptr_t)memory);
	if (!status)
		status = part_check(reader, (uintptr_t)memory, digest);
	if (status)
		return status;
	digest_of_file(digest, (uintptr_t)memory, size, hash);
	*ret_file = (struct file){ .content = { .start = memory, .length = size }, .digest = hash };
	return KEXEC_OK;
}

static enum kexec_status add_file(const struct boot_part *part, enum unified_part place, struct sources *sources,
				  struct digest *digest, struct extras *extras, struct text *ret_content)
{
	struct part_reader reader;
	enum kexec_status status;
	struct file file = { 0 };

	*ret_content = TEXT("");
	if (!part->name)
		return KEXEC_OK;
	status = part_open(sources, part, &reader);
	if (!status)
		status = read_open(&reader, digest, extras, &file);
	part_close(&reader);
	if (status)
		return status;
	*ret_content = file.content;
	return extras_add_file(extras, place, file.content.start, file.content.length, file.digest);
}

enum kexec_status pcr_files_add(const struct boot_plan *plan, struct sources *sources, struct digest *digest,
				struct extras *extras, struct text *ret_key)
{
	struct text signature;
	enum kexec_status status;

	status = add_file(&plan->pcr_signature, UNIFIED_SIGNATURE, sources, digest, extras, &signature);
	if (status)
		return status;
	return add_file(&plan->pcr_key, UNIFIED_PUBLIC_KEY, sources, digest, extras, ret_key);
}
