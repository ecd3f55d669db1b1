// SPDX-License-Identifier: BSD-2-Clause
/*
 * Digest ranges, boot/digest.c, and their segments, boot/kexec_image.c. The hash is a list of its inputs. Memory is any
 * address that an allocator might return; it is neither read nor written.
 */
#include "boot/kexec_image.h"

#include "tests/prove/prove.h"

#define segment_seal real_segment_seal
#include "boot/kexec_image.c"
#undef segment_seal

/* Records the range, and writes nothing. */
static void *fill(void *start, int value, size_t size);

#define memset fill
#include "boot/digest.c"
#undef memset

void log_error_line(const char *format, ...)
{
	(void)format;
}

void log_verbose(const char *format, ...)
{
	(void)format;
}

size_t format_text(char *ret_text, size_t size, const char *format, ...)
{
	(void)ret_text;
	(void)size;
	(void)format;
	return 0;
}

void segment_seal(const struct kexec_segment *segment)
{
	(void)segment;
}

/* --- segments: SEGMENTS of them, any requests, any answers of the allocator --- */

enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages)
{
	(void)request;
	(void)what;
	*ret_addr = any_u64();
	ret_pages->addr = any_u64();
	ret_pages->size = any_u64();
	return any_u8() & 1 ? KEXEC_OK : KEXEC_NO_MEMORY;
}

static uint64_t freed;

void memory_free(const struct memory_pages *pages)
{
	(void)pages;
	freed++;
}

void prove_segments(void)
{
	struct kexec_image image = { .count = 0, .destination = { .addr = any_u64(), .size = any_u64() } };

	assume(image.destination.size <= UINT64_MAX - image.destination.addr);
	for (size_t i = 0; i < SEGMENTS; i++) {
		struct segment_request request = {
			.name = "",
			.bufsz = any_u64(),
			.memsz = any_u64(),
			.memory = { .size = any_u64() },
		};
		struct kexec_segment *segment;

		if (kexec_image_add_segment(&image, &request, &segment))
			continue;
		prove(segment->bufsz != 0 && segment->bufsz <= segment->memsz, "the content fits");
		prove((segment->memsz & (PAGE_SIZE - 1)) == 0, "of whole pages");
	}
	for (size_t i = 0; i < image.count; i++) {
		const struct kexec_segment *one = &image.segments[i];

		prove(one->mem >= one->pages.addr && one->mem - one->pages.addr <= one->pages.size &&
			      one->memsz <= one->pages.size - (one->mem - one->pages.addr),
		      "each segment lies in its pages");
		prove(one->pages.addr + one->pages.size >= one->pages.addr, "its pages do not wrap");
		prove(!image.destination.size || one->pages.addr + one->pages.size <= image.destination.addr ||
			      image.destination.addr + image.destination.size <= one->pages.addr,
		      "its pages are clear of the kernel's destination");
		for (size_t j = 0; j < i; j++) {
			const struct memory_pages *other = &image.segments[j].pages;

			prove(one->pages.addr + one->pages.size <= other->addr ||
				      other->addr + other->size <= one->pages.addr,
			      "pages of two segments are disjoint");
		}
	}
}

/* --- bytes that arrive in PIECES are hashed once, in order, and completely --- */

/* Off in the proof that is only about regions. */
static bool watches_hash;
static uint64_t hashed_from;
static uint64_t hashed_to;
static bool hashed_all = true;

static uint64_t zeroed_from;
static uint64_t zeroed_to;

static void *fill(void *start, int value, size_t size)
{
	prove(value == 0, "with zeros");
	if (size && watches_hash) {
		zeroed_from = (uint64_t)start;
		zeroed_to = (uint64_t)start + size;
	}
	return start;
}

void fsverity_start(struct fsverity *state)
{
	(void)state;
	hashed_from = 0;
	hashed_to = 0;
}

void fsverity_update(struct fsverity *state, const void *bytes, size_t size)
{
	(void)state;
	if (size == 0 || !watches_hash)
		return;
	if (hashed_from == hashed_to)
		hashed_from = (uint64_t)bytes;
	else
		hashed_all &= (uint64_t)bytes == hashed_to;
	hashed_to = (uint64_t)bytes + size;
}

static uint64_t finished_size;

void fsverity_finish(struct fsverity *state, uint64_t file_size, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	(void)state;
	(void)ret_digest;
	finished_size = file_size;
}

/* common/region.c */
uint64_t region_covered(uint64_t len)
{
	return align_up(len, REGION_ALIGN);
}

void region_digest(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	(void)state;
	(void)region;
	(void)ret_digest;
}

void region_list_digest(const struct sha_region regions[REGION_MAX], uint8_t digests[REGION_MAX][SHA256_DIGEST_SIZE],
			uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	(void)regions;
	(void)digests;
	(void)ret_digest;
}

void *pool_memory;

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	(void)size;
	(void)what;
	*ret_memory = pool_memory;
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	(void)memory;
}

static struct fsverity hash;
static struct digest arriving = { .hash = &hash };

/* A file, and the rest of its segment: together they cover each hashed byte exactly once. */
void prove_arrived(void)
{
	const struct kexec_segment segment = { .name = "", .mem = any_u64(), .memsz = any_u64() };
	uint64_t segment_end = segment.mem + segment.memsz;
	uint64_t start = any_u64();
	uint64_t end = start;
	uint64_t covered;

	watches_hash = true;
	assume(segment.memsz != 0 && segment.memsz <= UINT64_MAX - PAGE_SIZE - segment.mem);
	/*
	 * A file may begin below its segment, and end behind it. Physical addresses begin at 1 here, because 0 is NULL.
	 */
	assume(start != 0 && start <= segment.mem);
	digest_open(&arriving, segment.name, start);
	for (size_t i = 0; i < PIECES; i++) {
		uint64_t size = any_u64();

		assume(size <= UINT64_MAX - PAGE_SIZE - end);
		digest_arrived(&arriving, size);
		end += size;
	}
	digest_close(&arriving);
	covered = start + region_covered(end - start);
	prove(hashed_all, "pieces are hashed in order, none twice, none left out");
	prove(end == start || (hashed_from == start && hashed_to == covered), "up to the end of the zeros behind");
	prove(finished_size == end - start, "as a file of its size");
	prove(covered == end || (zeroed_from == end && zeroed_to == covered), "where there are zeros");
	prove(arriving.table.count == 1 && arriving.early_count == 1, "it is one region");
	prove(arriving.table.regions[0].start == start && arriving.table.regions[0].len == end - start, "of the file");
	digest_add_zeros(&arriving, &segment, covered);
	prove(covered < segment_end || arriving.table.count == 1, "where nothing is left there is no other");
	prove(covered >= segment_end || (arriving.table.count == 2 && arriving.table.regions[1].start == covered &&
					 arriving.table.regions[1].len == segment_end - covered),
	      "the rest of the segment is another");
}

/* --- the regions are the segments: SEGMENTS of any stage, disjoint, and the purgatory --- */

/* The places of the purgatory's symbols. The digests lie behind the part of it that is hashed. */
static uint8_t digests[REGION_MAX + 1][SHA256_DIGEST_SIZE];

enum kexec_status purgatory_find_symbol(const struct purgatory *purgatory, const char *name, size_t size,
					void **ret_place)
{
	(void)purgatory;
	*ret_place = size == SHA256_DIGEST_SIZE ? digests[REGION_MAX] : digests[0];
	(void)name;
	return KEXEC_OK;
}

enum kexec_status purgatory_set_symbol(const struct purgatory *purgatory, const char *name, const void *value,
				       size_t size)
{
	(void)purgatory;
	(void)name;
	(void)value;
	(void)size;
	return KEXEC_OK;
}

static bool is_region(const struct digest *digest, const struct kexec_segment *segment)
{
	size_t found = 0;

	for (size_t i = 0; i < digest->table.count; i++) {
		if (digest->table.regions[i].start == segment->mem && digest->table.regions[i].len == segment->memsz)
			found++;
	}
	return found == 1;
}

void prove_regions(void)
{
	struct kexec_image image = { .count = SEGMENTS };
	struct kexec_segment purgatory_segment = { .name = "",
						   .mem = (uintptr_t)digests - PAGE_SIZE,
						   .memsz = PAGE_SIZE };
	const struct purgatory purgatory = { .segment = &purgatory_segment };
	static struct digest digest = { .hash = &hash };
	size_t listed = 0;

	for (size_t i = 0; i < SEGMENTS; i++) {
		struct kexec_segment *segment = &image.segments[i];

		*segment = (struct kexec_segment){
			.name = "",
			.mem = any_u64(),
			.memsz = any_u64(),
			.stage = any_u8() % 4,
		};
		segment->bufsz = segment->memsz;
		assume(segment->memsz != 0 && segment->memsz <= UINT64_MAX - segment->mem);
		assume(segment->mem != purgatory_segment.mem);
		for (size_t j = 0; j < i; j++)
			assume(segment->mem + segment->memsz <= image.segments[j].mem ||
			       image.segments[j].mem + image.segments[j].memsz <= segment->mem);
	}
	prove(digest_prepare(&image, &purgatory, &digest) == KEXEC_OK, "nothing fails");
	for (size_t i = 0; i < SEGMENTS; i++) {
		bool is_hashed = image.segments[i].stage == DIGEST_EARLY || image.segments[i].stage == DIGEST_LATE;

		listed += is_hashed;
		prove(!is_hashed || is_region(&digest, &image.segments[i]),
		      "each segment that is to be hashed is one region");
	}
	prove(digest.table.count == listed + 1, "and there is no other but the purgatory's");
	prove(digest.early_count <= digest.table.count && digest.early_count >= 1, "early regions are the first");
	for (size_t i = digest.table.count; i < REGION_MAX; i++)
		prove(digest.table.regions[i].len == 0, "what is not used is empty");
}
