// SPDX-License-Identifier: BSD-2-Clause
/* Loader against purgatory: the real purgatory verifies the loader's digest in this process. */
#include "boot/digest.h"

#include "common/align.h"
#include "purgatory/verdict.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/support.h"

static struct kexec_image kexec_image;
static struct purgatory purgatory;
static struct digest digest;
static void (*verify)(struct verdict *);

/*
 * Segments in the order in which a boot makes them; their regions have another order. The purgatory's segment is made
 * before all of them.
 */
static const struct {
	const char *name;
	uint64_t size;
	enum digest_stage stage;
	size_t region; /* index in the purgatory's table; for files, that of the segment's last file */
} plan[] = {
	{ "kernel", 100000, DIGEST_FILES, 0 },	 { "initrd", 70001, DIGEST_FILES, 2 },
	{ "boot_params", 4096, DIGEST_LATE, 6 }, { "cmdline", 10, DIGEST_EARLY, 4 },
	{ "memory_map", 5000, DIGEST_LATE, 7 },
};

/* The purgatory's own region, between the early and the late ones. */
#define OWN_REGION 5
#define REGIONS 8

#define PLANNED (kexec_image.segments + 1)

/* How much of the kernel's file lies before its segment. */
#define LEAD 1536

static enum kexec_status add_segments(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++) {
		struct segment_request request = {
			.name = plan[i].name,
			.bufsz = plan[i].size,
			.memsz = plan[i].size,
			.stage = plan[i].stage,
			.memory = { .lead = i ? 0 : LEAD,
				    .size = plan[i].size + 50000,
				    .align = PAGE_SIZE,
				    .max = UINT32_MAX },
		};
		struct kexec_segment *segment;
		enum kexec_status status;

		status = kexec_image_add_segment(&kexec_image, &request, &segment);
		if (status)
			return status;
		memset(phys_to_ptr(segment->mem), (int)i + 1, segment->bufsz);
	}
	return KEXEC_OK;
}

/* Makes all allocations of a boot through the core. */
static enum kexec_status load_all(void)
{
	enum kexec_status status;
	const uint8_t *object;
	size_t size;

	object = map_file(PURGATORY_RO, &size);
	status = purgatory_load(&kexec_image, object, size, &purgatory);
	return status ? status : add_segments();
}

static void start_digest(void)
{
	digest_free(&digest);
	expect_ok(digest_start(&digest));
}

static void load(void)
{
	struct elf_rel_symbol symbol;

	expect_ok(load_all());
	expect_ok(elf_rel_find_symbol(&purgatory.object, "purgatory_verify", &symbol));
	*(void **)&verify = phys_to_ptr(purgatory.segment->mem + symbol.offset);
	start_digest();
}

/* A file that arrives in pieces of `piece` bytes is a region; the zeros behind it in its segment are another. */
static void file_arrives(const struct kexec_segment *segment, uint64_t lead, uint64_t piece)
{
	uint64_t addr = segment->mem - lead;
	uint64_t end = segment->mem + segment->bufsz;

	digest_open(&digest, segment->name, addr);
	for (; addr < end; addr += piece)
		digest_arrived(&digest, end - addr < piece ? end - addr : piece);
	digest_close(&digest);
	digest_add_zeros(&digest, segment, segment->mem - lead + region_covered(segment->bufsz + lead));
}

static void finish_digest(void)
{
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	digest_finish(&digest);
}

static void digest_all(uint64_t piece)
{
	start_digest();
	file_arrives(&PLANNED[0], LEAD, piece);
	file_arrives(&PLANNED[1], 0, piece);
	finish_digest();
}

static void load_and_digest(void)
{
	load();
	digest_all(1000000);
}

static struct verdict verdict_now(void)
{
	struct verdict verdict;

	memset(&verdict, 0xa5, sizeof(verdict));
	verify(&verdict);
	return verdict;
}

static void *symbol_place(const char *name, size_t size)
{
	void *place;

	expect_ok(purgatory_find_symbol(&purgatory, name, size, &place));
	return place;
}

static void expect_flip_noticed(uint8_t *byte, size_t region)
{
	*byte ^= 0x80;
	assert_false(verdict_now().match);
	assert_int_equal(verdict_now().region, region);
	*byte ^= 0x80;
	assert_true(verdict_now().match);
}

/* The end of the purgatory's own region, which contains only data that does not change before the exit. */
static uint64_t digests_addr(void)
{
	uintptr_t regions = (uintptr_t)symbol_place("purgatory_region_digests", REGION_MAX * SHA256_DIGEST_SIZE);
	uintptr_t total = (uintptr_t)symbol_place("purgatory_sha256_digest", SHA256_DIGEST_SIZE);

	return regions < total ? regions : total;
}

static const struct sha_region *told_regions(void)
{
	return symbol_place("purgatory_sha_regions", REGION_MAX * sizeof(struct sha_region));
}

static const char *told_name(size_t region)
{
	const char(*names)[REGION_NAME_SIZE] = symbol_place("purgatory_region_names", REGION_MAX * REGION_NAME_SIZE);

	return names[region];
}

static void expect_region(size_t region, const char *name, uint64_t start, uint64_t end)
{
	assert_string_equal(told_name(region), name);
	assert_int_equal(told_regions()[region].start, start);
	assert_int_equal(told_regions()[region].start + told_regions()[region].len, end);
}

static void unchanged_memory_matches(void **state)
{
	const struct kexec_segment *kernel = &PLANNED[0];
	const struct kexec_segment *initrd = &PLANNED[1];

	(void)state;
	load_and_digest();
	assert_true(verdict_now().match);
	expect_region(0, "kernel", kernel->mem - LEAD, kernel->mem + 100000);
	expect_region(1, "kernel", kernel->mem + 100000, kernel->mem + kernel->memsz);
	expect_region(2, "initrd", initrd->mem, initrd->mem + 70001);
	/* Up to three zeros belong to the region before. */
	expect_region(3, "initrd", initrd->mem + 70004, initrd->mem + initrd->memsz);
	for (size_t i = 2; i < ARRAY_SIZE(plan); i++)
		expect_region(plan[i].region, plan[i].name, PLANNED[i].mem, PLANNED[i].mem + PLANNED[i].memsz);
	expect_region(OWN_REGION, "purgatory", purgatory.segment->mem, digests_addr());
	assert_int_equal(told_regions()[REGIONS].len, 0);
}

/* Calculated by the definition, in one piece, with the C code. */
static void fsverity_of(uint64_t start, uint64_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	static struct fsverity hash;

	fsverity_start_with(&hash, SHA256_C);
	fsverity_update(&hash, phys_to_ptr(start), size);
	fsverity_finish(&hash, size, ret_digest);
}

static void digests_are_those_of_the_regions_and_of_their_list(void **state)
{
	uint8_t(*regions)[SHA256_DIGEST_SIZE];
	uint8_t expected[REGIONS][SHA256_DIGEST_SIZE];
	uint8_t total[SHA256_DIGEST_SIZE];

	(void)state;
	load_and_digest();
	for (size_t i = 0; i < REGIONS; i++)
		fsverity_of(told_regions()[i].start, told_regions()[i].len, expected[i]);
	regions = symbol_place("purgatory_region_digests", REGION_MAX * SHA256_DIGEST_SIZE);
	assert_memory_equal(regions, expected, sizeof(expected));
	sha256_of(expected, sizeof(expected), total);
	assert_memory_equal(symbol_place("purgatory_sha256_digest", SHA256_DIGEST_SIZE), total, sizeof(total));
	assert_memory_equal(verdict_now().found, total, sizeof(total));
	assert_memory_equal(verdict_now().expected, total, sizeof(total));
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
	static const uint64_t pieces[] = { 1, 64, 999, 4096, 69999 };
	uint8_t expected[SHA256_DIGEST_SIZE];

	(void)state;
	load_and_digest();
	memcpy(expected, digest.total, sizeof(expected));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		memset(digest.total, 0, sizeof(expected));
		digest_all(pieces[i]);
		assert_memory_equal(digest.total, expected, sizeof(expected));
		assert_true(verdict_now().match);
	}
}

static void closing_a_file_returns_its_digest(void **state)
{
	const struct kexec_segment *initrd = &PLANNED[1];
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];

	(void)state;
	load();
	fsverity_of(initrd->mem, 70001, expected);
	memset(phys_to_ptr(initrd->mem + 70001), 0xff, 3);
	digest_open(&digest, "initrd", initrd->mem);
	digest_arrived(&digest, 70001);
	assert_memory_equal(digest_close(&digest), expected, sizeof(expected));
	digest_of_file(&digest, initrd->mem, 70001, found);
	assert_memory_equal(found, expected, sizeof(expected));
}

static void change_behind_a_piece_that_has_arrived_is_noticed(void **state)
{
	const struct kexec_segment *kernel = &PLANNED[0];

	(void)state;
	load();
	digest_open(&digest, "kernel", kernel->mem);
	digest_arrived(&digest, 1000);
	*(uint8_t *)phys_to_ptr(kernel->mem + 999) ^= 1;
	digest_arrived(&digest, kernel->bufsz - 1000);
	digest_close(&digest);
	finish_digest();
	assert_false(verdict_now().match);
	assert_int_equal(verdict_now().region, 0);
}

/* Linux reads the zeros between initrds, so they belong to the region before them. */
static void zeros_between_files_count(void **state)
{
	const struct kexec_segment *initrd = &PLANNED[1];

	(void)state;
	load_and_digest();
	for (uint64_t at = 70001; at < 70004; at++)
		expect_flip_noticed(phys_to_ptr(initrd->mem + at), 2);
}

static void rest_that_is_empty_is_no_region(void **state)
{
	const struct kexec_segment *kernel = &PLANNED[0];

	(void)state;
	load();
	digest_add_zeros(&digest, kernel, kernel->mem + kernel->memsz);
	digest_add_zeros(&digest, kernel, kernel->mem + kernel->memsz + 5000);
	assert_int_equal(digest.table.count, 0);
}

/* The most initrds with regions of their own, and the most other segments. */
static void table_has_room_for_every_boot(void **state)
{
	(void)state;
	load();
	for (size_t i = 0; i < INITRD_REGIONS_MAX + 3; i++)
		digest_add(&digest, "file", PLANNED[0].mem, PLANNED[0].mem + 100);
	for (size_t i = 0; i < KEXEC_SEGMENT_MAX; i++)
		kexec_image.segments[i] = i ? PLANNED[2] : kexec_image.segments[0];
	kexec_image.count = KEXEC_SEGMENT_MAX - 2;
	finish_digest();
	assert_true(verdict_now().match);
	assert_int_equal(digest.table.count, REGION_MAX);
}

static void bit_flipped_in_each_region(void **state)
{
	(void)state;
	load_and_digest();
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++) {
		const struct kexec_segment *segment = &PLANNED[i];
		uint8_t *bytes = phys_to_ptr(segment->mem);

		expect_flip_noticed(bytes, plan[i].region);
		expect_flip_noticed(bytes + segment->bufsz / 2, plan[i].region);
		expect_flip_noticed(bytes + segment->bufsz - 1, plan[i].region);
		/* The zeros behind files. */
		expect_flip_noticed(bytes + segment->memsz - 1,
				    plan[i].region + (plan[i].stage == DIGEST_FILES ? 1 : 0));
	}
}

static void memory_around_the_regions_may_change(void **state)
{
	(void)state;
	load_and_digest();
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++)
		memset(phys_to_ptr(PLANNED[i].mem + PLANNED[i].memsz), 0x3c, 40000);
	assert_true(verdict_now().match);
}

static void first_of_two_changed_regions_is_named(void **state)
{
	(void)state;
	load_and_digest();
	*(uint8_t *)phys_to_ptr(PLANNED[4].mem) ^= 1;
	*(uint8_t *)phys_to_ptr(PLANNED[1].mem) ^= 1;
	assert_int_equal(verdict_now().region, 2);
	assert_memory_equal(verdict_now().expected, digest.digests[2], SHA256_DIGEST_SIZE);
}

/* Each value that the loader sets in the purgatory, and a constant of its code (not in the code that compares). */
static void purgatory_that_has_changed(void **state)
{
	static const struct {
		const char *name;
		size_t size;
	} symbols[] = {
		{ "purgatory_kernel_entry", sizeof(struct kernel_entry) },
		{ "purgatory_policy", sizeof(struct purgatory_policy) },
		{ "purgatory_region_names", REGION_MAX * REGION_NAME_SIZE },
	};
	struct elf_rel_symbol start;

	(void)state;
	load_and_digest();
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		uint8_t *bytes = symbol_place(symbols[i].name, symbols[i].size);

		for (size_t at = 0; at < symbols[i].size; at++)
			expect_flip_noticed(bytes + at, OWN_REGION);
	}
	expect_ok(elf_rel_find_symbol(&purgatory.object, "purgatory_start", &start));
	expect_flip_noticed(phys_to_ptr(purgatory.segment->mem + start.offset), OWN_REGION);
}

static void each_byte_of_the_digest_counts(void **state)
{
	uint8_t *total;

	(void)state;
	load_and_digest();
	total = symbol_place("purgatory_sha256_digest", SHA256_DIGEST_SIZE);
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		expect_flip_noticed(total + i, REGION_MAX);
}

/* The recorded digest only tells which region has changed. The purgatory cannot know which of the two was changed. */
static void each_recorded_digest_counts(void **state)
{
	uint8_t *records;

	(void)state;
	load_and_digest();
	records = symbol_place("purgatory_region_digests", REGION_MAX * SHA256_DIGEST_SIZE);
	for (size_t i = 0; i < REGION_MAX * SHA256_DIGEST_SIZE; i += 31)
		expect_flip_noticed(records + i, REGION_MAX);
}

static void each_region_entry_counts(void **state)
{
	struct sha_region *regions;
	struct sha_region saved;

	(void)state;
	load_and_digest();
	regions = (struct sha_region *)told_regions();
	for (size_t i = 0; i < REGIONS; i++) {
		saved = regions[i];
		regions[i].len = 0;
		assert_false(verdict_now().match);
		regions[i] = saved;
		regions[i].len -= 1;
		assert_false(verdict_now().match);
		regions[i] = saved;
		regions[i].start += 64;
		regions[i].len -= 64;
		assert_false(verdict_now().match);
		regions[i] = saved;
	}
	regions[REGION_MAX - 1] = regions[0];
	assert_false(verdict_now().match);
}

/*
 * The digest covers addresses and order: the same content elsewhere, or the regions in another order, do not match it.
 */
static void regions_that_are_moved_or_exchanged(void **state)
{
	struct sha_region *regions;
	struct sha_region saved;
	static uint8_t copy[100000 + LEAD + REGION_ALIGN] __attribute__((aligned(4096)));

	(void)state;
	load_and_digest();
	regions = (struct sha_region *)told_regions();
	saved = regions[0];
	memcpy(copy, phys_to_ptr(saved.start), saved.len);
	regions[0].start = (uintptr_t)copy;
	assert_false(verdict_now().match);
	assert_int_equal(verdict_now().region, OWN_REGION);
	regions[0] = regions[2];
	regions[2] = saved;
	assert_false(verdict_now().match);
	assert_int_equal(verdict_now().region, 0);
}

static void late_regions_may_be_finished_again(void **state)
{
	(void)state;
	load_and_digest();
	memset(phys_to_ptr(PLANNED[2].mem), 0x77, 4096);
	assert_int_equal(verdict_now().region, 6);
	digest_finish(&digest);
	assert_true(verdict_now().match);
	memset(phys_to_ptr(PLANNED[4].mem), 0x78, 100);
	digest_finish(&digest);
	assert_true(verdict_now().match);
}

static void name_of_a_region_is_cut_to_its_field(void **state)
{
	(void)state;
	load();
	PLANNED[3].name = "a-name-of-twenty-four-ch";
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	assert_string_equal(told_name(0), "a-name-of-twent");
}

/* The purgatory lacks one of the symbols, each in turn. */
static void purgatory_without_a_symbol(void **state)
{
	static const struct {
		const char *name;
		uint64_t size;
	} symbols[] = {
		{ "purgatory_sha_regions", REGION_MAX * sizeof(struct sha_region) },
		{ "purgatory_region_names", REGION_MAX * REGION_NAME_SIZE },
		{ "purgatory_region_digests", REGION_MAX * SHA256_DIGEST_SIZE },
		{ "purgatory_sha256_digest", SHA256_DIGEST_SIZE },
	};
	static const uint8_t data[REGION_MAX * SHA256_DIGEST_SIZE];
	static struct elf_builder builder;

	(void)state;
	for (size_t missing = 0; missing < ARRAY_SIZE(symbols); missing++) {
		unsigned section;

		elf_builder_init(&builder);
		section = elf_builder_section(&builder, 1, SHF_ALLOC, 16, data, sizeof(data));
		elf_builder_symbol(&builder, "purgatory_start", (uint16_t)section, 0, 0);
		for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
			if (i != missing)
				elf_builder_symbol(&builder, symbols[i].name, (uint16_t)section, 0, symbols[i].size);
		}
		elf_builder_finish(&builder);
		expect_ok(purgatory_load(&kexec_image, builder.bytes, builder.size, &purgatory));
		start_digest();
		expect_error(digest_prepare(&kexec_image, &purgatory, &digest), KEXEC_NOT_FOUND, symbols[missing].name);
		kexec_image_free(&kexec_image);
	}
}

static void every_allocation_failed_in_turn(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (;; failed++) {
		fake_memory_fail_at(failed + 1);
		if (load_all() == KEXEC_OK)
			break;
		assert_int_equal(fake_memory_outstanding(), failed);
		kexec_image_free(&kexec_image);
		assert_int_equal(fake_memory_outstanding(), 0);
	}
	assert_int_equal(failed, ARRAY_SIZE(plan) + 1);
	kexec_image_free(&kexec_image);
	assert_int_equal(fake_memory_outstanding(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unchanged_memory_matches),
		cmocka_unit_test(digests_are_those_of_the_regions_and_of_their_list),
		cmocka_unit_test(pieces_give_the_digest_of_the_whole),
		cmocka_unit_test(change_behind_a_piece_that_has_arrived_is_noticed),
		cmocka_unit_test(closing_a_file_returns_its_digest),
		cmocka_unit_test(zeros_between_files_count),
		cmocka_unit_test(rest_that_is_empty_is_no_region),
		cmocka_unit_test(table_has_room_for_every_boot),
		cmocka_unit_test(bit_flipped_in_each_region),
		cmocka_unit_test(memory_around_the_regions_may_change),
		cmocka_unit_test(first_of_two_changed_regions_is_named),
		cmocka_unit_test(purgatory_that_has_changed),
		cmocka_unit_test(each_byte_of_the_digest_counts),
		cmocka_unit_test(each_recorded_digest_counts),
		cmocka_unit_test(each_region_entry_counts),
		cmocka_unit_test(regions_that_are_moved_or_exchanged),
		cmocka_unit_test(late_regions_may_be_finished_again),
		cmocka_unit_test(name_of_a_region_is_cut_to_its_field),
		cmocka_unit_test(purgatory_without_a_symbol),
		cmocka_unit_test(every_allocation_failed_in_turn),
	};

	return run_named_tests(tests);
}
