// SPDX-License-Identifier: BSD-2-Clause
/* Hashes the regions for the purgatory. */
#include "boot/digest.h"

#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/string.h"

/* Lists a region and returns its index. INITRD_REGIONS_MAX guarantees that there is room. */
static size_t list_region(struct region_table *table, const char *name, uint64_t start, uint64_t end)
{
	size_t length = strlen(name);
	size_t index = table->count++;

	if (length > REGION_NAME_SIZE - 1)
		length = REGION_NAME_SIZE - 1;
	memcpy(table->names[index], name, length);
	table->regions[index] = (struct sha_region){ .start = start, .len = end - start };
	return index;
}

static void hash_region(struct digest *digest, size_t index)
{
	region_digest(digest->hash, &digest->table.regions[index], digest->digests[index]);
}

enum kexec_status digest_start(struct digest *ret_digest)
{
	enum kexec_status status;
	void *hash;

	*ret_digest = (struct digest){ 0 };
	status = pool_alloc(sizeof(*ret_digest->hash), "digests", &hash);
	if (!status)
		ret_digest->hash = hash;
	return status;
}

void digest_free(struct digest *digest)
{
	pool_free(digest->hash);
	digest->hash = NULL;
}

void digest_open(struct digest *digest, const char *name, uint64_t start)
{
	list_region(&digest->table, name, start, start);
	digest->next = start;
	fsverity_start(digest->hash);
}

void digest_arrived(struct digest *digest, uint64_t size)
{
	fsverity_update(digest->hash, phys_to_ptr(digest->next), size);
	digest->next += size;
}

const uint8_t *digest_close(struct digest *digest)
{
	size_t index = digest->early_count++;
	uint64_t size = digest->next - digest->table.regions[index].start;
	uint64_t zeros = region_covered(size) - size;

	digest->table.regions[index].len = size;
	memset(phys_to_ptr(digest->next), 0, zeros);
	digest_arrived(digest, zeros);
	fsverity_finish(digest->hash, size, digest->digests[index]);
	return digest->digests[index];
}

void digest_add(struct digest *digest, const char *name, uint64_t start, uint64_t end)
{
	digest_open(digest, name, start);
	digest_arrived(digest, end - start);
	digest_close(digest);
}

void digest_add_known(struct digest *digest, const char *name, uint64_t start, uint64_t size,
		      const uint8_t known[SHA256_DIGEST_SIZE])
{
	list_region(&digest->table, name, start, start + size);
	memset(phys_to_ptr(start + size), 0, region_covered(size) - size);
	memcpy(digest->digests[digest->early_count++], known, SHA256_DIGEST_SIZE);
}

void digest_add_zeros(struct digest *digest, const struct kexec_segment *segment, uint64_t start)
{
	uint64_t end = segment->mem + segment->memsz;

	if (start >= end)
		return;
	memset(phys_to_ptr(start), 0, end - start);
	digest_add(digest, segment->name, start, end);
}

void digest_of_file(struct digest *digest, uint64_t start, uint64_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	const struct sha_region file = { .start = start, .len = size };

	region_digest(digest->hash, &file, ret_digest);
}

static void add_early(const struct kexec_image *kexec_image, struct digest *digest)
{
	for (size_t i = 0; i < kexec_image->count; i++) {
		const struct kexec_segment *segment = &kexec_image->segments[i];

		if (segment->stage != DIGEST_EARLY)
			continue;
		segment_seal(segment);
		digest_add(digest, segment->name, segment->mem, segment->mem + segment->memsz);
	}
}

static void list_late(const struct kexec_image *kexec_image, struct digest *digest)
{
	for (size_t i = 0; i < kexec_image->count; i++) {
		const struct kexec_segment *segment = &kexec_image->segments[i];

		if (segment->stage != DIGEST_LATE)
			continue;
		segment_seal(segment);
		list_region(&digest->table, segment->name, segment->mem, segment->mem + segment->memsz);
	}
}

static const char *code_name(enum sha256_code code)
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
		const struct sha_region *region = &digest->table.regions[i];

		format_digest(text, digest->digests[i]);
		log_verbose("fsverity %s %s (%lu bytes at 0x%016lx)", digest->table.names[i], text, region->len,
			    region->start);
	}
}

static enum kexec_status bind(const struct purgatory *purgatory, struct digest *digest)
{
	enum kexec_status status;
	void *place;

	status = purgatory_find(purgatory, purgatory_region_digests, &place);
	if (status)
		return status;
	digest->expected = place;
	status = purgatory_find(purgatory, purgatory_sha256_digest, &place);
	if (status)
		return status;
	digest->total = place;
	return KEXEC_OK;
}

/* The end of the purgatory's code, constants and tables: the digests begin there. */
static uint64_t own_end(const struct digest *digest)
{
	uint64_t expected_addr = (uintptr_t)digest->expected;
	uint64_t total_addr = (uintptr_t)digest->total;

	return expected_addr < total_addr ? expected_addr : total_addr;
}

enum kexec_status digest_prepare(const struct kexec_image *kexec_image, const struct purgatory *purgatory,
				 struct digest *digest)
{
	enum kexec_status status;
	size_t own;

	status = bind(purgatory, digest);
	if (status)
		return status;
	add_early(kexec_image, digest);
	own = list_region(&digest->table, purgatory->segment->name, purgatory->segment->mem, own_end(digest));
	list_late(kexec_image, digest);
	status = purgatory_set(purgatory, purgatory_sha_regions, &digest->table.regions);
	if (status)
		return status;
	status = purgatory_set(purgatory, purgatory_region_names, &digest->table.names);
	if (status)
		return status;
	/* Hash it last: it contains the tables, which list it too. */
	hash_region(digest, own);
	digest->early_count = own + 1;
	log_verbose("purgatory digested up to 0x%016lx", own_end(digest));
	log_verbose("purgatory digest 0x%016lx", (uint64_t)(uintptr_t)digest->total);
	log_verbose("sha256 by %s", code_name(digest->hash->code));
	print_digests(digest);
	return KEXEC_OK;
}

void digest_finish(struct digest *digest)
{
	for (size_t i = digest->early_count; i < digest->table.count; i++)
		hash_region(digest, i);
	memcpy(digest->expected, digest->digests, sizeof(digest->digests));
	region_list_digest(digest->table.regions, digest->digests, digest->total);
}
