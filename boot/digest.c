// SPDX-License-Identifier: BSD-2-Clause
/* Hashes the segments for the purgatory. */
#include "boot/digest.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/string.h"

/* The regions and their names as the purgatory's symbols want them. */
struct region_table {
	struct sha_region regions[KEXEC_SEGMENT_MAX];
	char names[KEXEC_SEGMENT_MAX][REGION_NAME_SIZE];
	size_t count;
};

static void list_segments(const struct kexec_image *image, enum digest_stage stage, struct region_table *table)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct kexec_segment *segment = &image->segments[i];
		size_t length = strlen(segment->name);

		if (segment->stage != stage)
			continue;
		if (length > REGION_NAME_SIZE - 1)
			length = REGION_NAME_SIZE - 1;
		memcpy(table->names[table->count], segment->name, length);
		table->regions[table->count] = (struct sha_region){ .start = segment->mem, .len = segment->memsz };
		table->count++;
	}
}

static void hash_regions(const struct digest *digest, struct sha256 *state, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		const struct sha_region *region = &digest->regions[i];

		sha256_update(state, phys_to_ptr(region->start), region->len);
		sha256_digest(state, digest->running[i]);
	}
}

static void print_digest(const char *name, const uint8_t *digest)
{
	char text[DIGEST_TEXT_SIZE];

	format_digest(text, digest);
	log_verbose("sha256 up to %s %s", name, text);
}

static enum kexec_status bind(const struct purgatory *purgatory, struct digest *digest)
{
	enum kexec_status status;
	void *place;

	status = purgatory_find(purgatory, purgatory_running_digests, &place);
	if (status)
		return status;
	digest->running = place;
	status = purgatory_find(purgatory, purgatory_sha256_digest, &place);
	if (status)
		return status;
	digest->total = place;
	return KEXEC_OK;
}

enum kexec_status digest_start(const struct kexec_image *image, const struct purgatory *purgatory,
			       struct digest *ret_digest)
{
	struct region_table table = { 0 };
	struct digest digest = { 0 };
	enum kexec_status status;

	list_segments(image, DIGEST_EARLY, &table);
	digest.early_count = table.count;
	list_segments(image, DIGEST_LATE, &table);
	digest.region_count = table.count;
	memcpy(digest.regions, table.regions, sizeof(digest.regions));

	status = purgatory_set(purgatory, purgatory_sha_regions, &table.regions);
	if (status)
		return status;
	status = purgatory_set(purgatory, purgatory_region_names, &table.names);
	if (status)
		return status;
	status = bind(purgatory, &digest);
	if (status)
		return status;

	log_verbose("purgatory digest 0x%016lx", (uint64_t)(uintptr_t)digest.total);

	image_seal(image);
	sha256_start(&digest.early_state);
	hash_regions(&digest, &digest.early_state, 0, digest.early_count);
	for (size_t i = 0; i < digest.early_count; i++)
		print_digest(table.names[i], digest.running[i]);
	*ret_digest = digest;
	return KEXEC_OK;
}

void digest_finish(const struct digest *digest)
{
	struct sha256 state = digest->early_state;

	hash_regions(digest, &state, digest->early_count, digest->region_count);
	/* The purgatory walks the unused regions too: they add no bytes, so the digest stays what it is. */
	for (size_t i = digest->region_count; i < KEXEC_SEGMENT_MAX; i++)
		sha256_digest(&state, digest->running[i]);
	sha256_digest(&state, digest->total);
}
