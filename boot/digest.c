// SPDX-License-Identifier: BSD-2-Clause
/* Hashes the segments for the purgatory. */
#include "boot/digest.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/string.h"

static void list_region(struct region_table *table, const char *name, uint64_t start, uint64_t len)
{
	size_t length = strlen(name);

	if (length > REGION_NAME_SIZE - 1)
		length = REGION_NAME_SIZE - 1;
	memcpy(table->names[table->count], name, length);
	table->regions[table->count] = (struct sha_region){ .start = start, .len = len };
	table->count++;
}

static void list_segment(struct region_table *table, const struct kexec_segment *segment)
{
	list_region(table, segment->name, segment->mem, segment->memsz);
}

static bool is_listed(const struct region_table *table, const struct kexec_segment *segment)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->regions[i].start == segment->mem)
			return true;
	}
	return false;
}

void digest_init(struct digest *digest)
{
	*digest = (struct digest){ 0 };
	sha256_start(&digest->early_state);
}

void digest_open(struct digest *digest, const struct kexec_segment *segment)
{
	digest->open_addr = segment->mem;
	digest->open_end = segment->mem + segment->bufsz;
}

void digest_arrived(struct digest *digest, uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size;

	if (addr < digest->open_addr)
		addr = digest->open_addr;
	if (end > digest->open_end)
		end = digest->open_end;
	if (addr >= end)
		return;
	sha256_update(&digest->early_state, phys_to_ptr(addr), end - addr);
	digest->open_addr = end;
}

void digest_close(struct digest *digest, const struct kexec_segment *segment)
{
	segment_seal(segment);
	digest->open_end = segment->mem + segment->memsz;
	digest_arrived(digest, segment->mem, segment->memsz);
	digest->open_end = 0;
	sha256_digest(&digest->early_state, digest->early_running[digest->early_count++]);
	list_segment(&digest->table, segment);
}

static void hash_early(const struct kexec_image *kexec_image, struct digest *digest)
{
	for (size_t i = 0; i < kexec_image->count; i++) {
		const struct kexec_segment *segment = &kexec_image->segments[i];

		if (segment->stage != DIGEST_EARLY || is_listed(&digest->table, segment))
			continue;
		digest_open(digest, segment);
		digest_close(digest, segment);
	}
}

static void list_late(const struct kexec_image *kexec_image, struct digest *digest)
{
	for (size_t i = 0; i < kexec_image->count; i++) {
		if (kexec_image->segments[i].stage != DIGEST_LATE)
			continue;
		segment_seal(&kexec_image->segments[i]);
		list_segment(&digest->table, &kexec_image->segments[i]);
	}
}

static const char *code_name(uint64_t code)
{
	static const char *const names[] = {
		[SHA256_C] = "C",
		[SHA256_SSSE3] = "SSSE3",
		[SHA256_AVX2] = "AVX2",
		[SHA256_NI] = "the SHA extensions",
	};

	return names[code];
}

static void print_digests(const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < digest->early_count; i++) {
		format_digest(text, digest->early_running[i]);
		log_verbose("sha256 up to %s %s", digest->table.names[i], text);
	}
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

/* The purgatory's own code, constants and tables: all that lies before the digests. */
static uint64_t own_size(const struct purgatory *purgatory, const struct digest *digest)
{
	uint64_t running_addr = (uintptr_t)digest->running;
	uint64_t total_addr = (uintptr_t)digest->total;

	return (running_addr < total_addr ? running_addr : total_addr) - purgatory->segment->mem;
}

/* After the tables are set, which name this region with all others. */
static void hash_purgatory(const struct purgatory *purgatory, struct digest *digest)
{
	uint64_t size = own_size(purgatory, digest);

	sha256_update(&digest->early_state, phys_to_ptr(purgatory->segment->mem), size);
	sha256_digest(&digest->early_state, digest->early_running[digest->early_count++]);
	log_verbose("purgatory digested up to 0x%016lx", purgatory->segment->mem + size);
}

enum kexec_status digest_prepare(const struct kexec_image *kexec_image, const struct purgatory *purgatory,
				 struct digest *digest)
{
	enum kexec_status status;

	status = bind(purgatory, digest);
	if (status)
		return status;
	hash_early(kexec_image, digest);
	list_region(&digest->table, purgatory->segment->name, purgatory->segment->mem, own_size(purgatory, digest));
	list_late(kexec_image, digest);
	status = purgatory_set(purgatory, purgatory_sha_regions, &digest->table.regions);
	if (status)
		return status;
	status = purgatory_set(purgatory, purgatory_region_names, &digest->table.names);
	if (status)
		return status;
	hash_purgatory(purgatory, digest);
	memcpy(digest->running, digest->early_running, sizeof(digest->early_running));
	log_verbose("purgatory digest 0x%016lx", (uint64_t)(uintptr_t)digest->total);
	log_verbose("sha256 by %s", code_name(digest->early_state.code));
	print_digests(digest);
	return KEXEC_OK;
}

void digest_finish(const struct digest *digest)
{
	struct sha256 state = digest->early_state;

	for (size_t i = digest->early_count; i < KEXEC_SEGMENT_MAX; i++) {
		const struct sha_region *region = &digest->table.regions[i];

		/* The purgatory walks the unused regions too: they add no bytes, so the digest stays what it is. */
		sha256_update(&state, phys_to_ptr(region->start), region->len);
		sha256_digest(&state, digest->running[i]);
	}
	sha256_digest(&state, digest->total);
}
