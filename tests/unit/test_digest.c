// SPDX-License-Identifier: BSD-2-Clause
/* Loader and purgatory against each other: the real purgatory verifies, in this process, what the digest covered. */
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
 * Segments in the order in which a boot makes them, which is not the order in which they are hashed. The purgatory's
 * comes before the first.
 */
static const struct {
	const char *name;
	uint64_t size;
	enum digest_stage stage;
	size_t region; /* its index in the purgatory's table */
} plan[] = {
	{ "kernel", 100000, DIGEST_EARLY, 0 },	 { "initrd", 70001, DIGEST_EARLY, 1 },
	{ "boot_params", 4096, DIGEST_LATE, 4 }, { "cmdline", 10, DIGEST_EARLY, 2 },
	{ "memory_map", 5000, DIGEST_LATE, 5 },
};

/* The purgatory's own, between the early and the late ones. */
#define OWN_REGION 3

#define PLANNED (kexec_image.segments + 1)

static enum kexec_status add_segments(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++) {
		struct segment_request request = {
			.name = plan[i].name,
			.bufsz = plan[i].size,
			.memsz = plan[i].size,
			.stage = plan[i].stage,
			.memory = { .size = plan[i].size + 50000, .align = PAGE_SIZE, .max = UINT32_MAX },
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

/* All that a boot allocates through the core. */
static enum kexec_status load_all(void)
{
	enum kexec_status status;
	const uint8_t *object;
	size_t size;

	object = map_file(PURGATORY_RO, &size);
	status = purgatory_load(&kexec_image, object, size, &purgatory);
	return status ? status : add_segments();
}

static void load(void)
{
	struct elf_rel_symbol symbol;

	expect_ok(load_all());
	expect_ok(elf_rel_find_symbol(&purgatory.object, "purgatory_verify", &symbol));
	*(void **)&verify = phys_to_ptr(purgatory.segment->mem + symbol.offset);
}

static void load_and_digest(void)
{
	load();
	digest_init(&digest);
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	digest_finish(&digest);
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

/* Where the purgatory's own region ends: with what may not change before the exit. */
static uint64_t digests_addr(void)
{
	uintptr_t running =
		(uintptr_t)symbol_place("purgatory_running_digests", KEXEC_SEGMENT_MAX * SHA256_DIGEST_SIZE);
	uintptr_t total = (uintptr_t)symbol_place("purgatory_sha256_digest", SHA256_DIGEST_SIZE);

	return running < total ? running : total;
}

static void unchanged_memory_matches(void **state)
{
	const char(*names)[REGION_NAME_SIZE];
	const struct sha_region *regions;

	(void)state;
	load_and_digest();
	assert_true(verdict_now().match);
	names = symbol_place("purgatory_region_names", KEXEC_SEGMENT_MAX * REGION_NAME_SIZE);
	regions = symbol_place("purgatory_sha_regions", KEXEC_SEGMENT_MAX * sizeof(struct sha_region));
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++) {
		assert_string_equal(names[plan[i].region], plan[i].name);
		assert_int_equal(regions[plan[i].region].start, PLANNED[i].mem);
		assert_int_equal(regions[plan[i].region].len, PLANNED[i].memsz);
	}
	assert_string_equal(names[OWN_REGION], "purgatory");
	assert_int_equal(regions[OWN_REGION].start, purgatory.segment->mem);
	assert_int_equal(regions[OWN_REGION].start + regions[OWN_REGION].len, digests_addr());
	assert_int_equal(regions[ARRAY_SIZE(plan) + 1].len, 0);
}

static void digest_is_that_of_all_regions_in_order(void **state)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	struct sha256 hash;

	(void)state;
	load_and_digest();
	sha256_start(&hash);
	for (size_t region = 0; region <= ARRAY_SIZE(plan); region++) {
		if (region == OWN_REGION)
			sha256_update(&hash, phys_to_ptr(purgatory.segment->mem),
				      digests_addr() - purgatory.segment->mem);
		for (size_t i = 0; i < ARRAY_SIZE(plan); i++) {
			if (plan[i].region == region)
				sha256_update(&hash, phys_to_ptr(PLANNED[i].mem), PLANNED[i].memsz);
		}
	}
	sha256_digest(&hash, expected);
	assert_memory_equal(symbol_place("purgatory_sha256_digest", SHA256_DIGEST_SIZE), expected, sizeof(expected));
	assert_memory_equal(verdict_now().found, expected, sizeof(expected));
}

/* Hands a segment's content over in pieces of `piece` bytes, with `around` bytes of the file before and behind it. */
static void arrive_in_pieces(const struct kexec_segment *segment, uint64_t piece, uint64_t around)
{
	uint64_t addr = segment->mem - around;
	uint64_t end = segment->mem + segment->bufsz + around;

	digest_open(&digest, segment);
	for (; addr < end; addr += piece)
		digest_arrived(&digest, addr, end - addr < piece ? end - addr : piece);
	digest_close(&digest, segment);
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
	static const uint64_t pieces[] = { 1, 64, 999, 4096, 69999, 1000000 };
	static const uint64_t arounds[] = { 0, 1, 5000 };
	uint8_t expected[SHA256_DIGEST_SIZE];

	(void)state;
	load_and_digest();
	memcpy(expected, digest.total, sizeof(expected));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(arounds); k++) {
			memset(digest.total, 0, sizeof(expected));
			digest_init(&digest);
			arrive_in_pieces(&PLANNED[0], pieces[i], arounds[k]);
			arrive_in_pieces(&PLANNED[1], pieces[i], arounds[k]);
			expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
			digest_finish(&digest);
			assert_memory_equal(digest.total, expected, sizeof(expected));
			assert_true(verdict_now().match);
		}
	}
}

static void change_behind_a_piece_that_has_arrived_is_noticed(void **state)
{
	const struct kexec_segment *kernel = &PLANNED[0];

	(void)state;
	load();
	digest_init(&digest);
	digest_open(&digest, kernel);
	digest_arrived(&digest, kernel->mem, 1000);
	*(uint8_t *)phys_to_ptr(kernel->mem + 999) ^= 1;
	digest_arrived(&digest, kernel->mem + 1000, kernel->bufsz - 1000);
	digest_close(&digest, kernel);
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	digest_finish(&digest);
	assert_false(verdict_now().match);
	assert_int_equal(verdict_now().region, 0);
}

static void nothing_arrives_without_an_open_segment(void **state)
{
	uint8_t expected[SHA256_DIGEST_SIZE];

	(void)state;
	load_and_digest();
	memcpy(expected, digest.total, sizeof(expected));
	digest_init(&digest);
	digest_arrived(&digest, PLANNED[0].mem, 100);
	arrive_in_pieces(&PLANNED[0], 4096, 0);
	digest_arrived(&digest, PLANNED[0].mem, 100);
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	digest_finish(&digest);
	assert_memory_equal(digest.total, expected, sizeof(expected));
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
		expect_flip_noticed(bytes + segment->memsz - 1, plan[i].region);
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
	assert_int_equal(verdict_now().region, 1);
}

/* Each thing that the purgatory is told, and a constant it runs by (not the code that finds it out). */
static void purgatory_that_has_changed(void **state)
{
	static const struct {
		const char *name;
		size_t size;
	} symbols[] = {
		{ "purgatory_kernel_entry", sizeof(struct kernel_entry) },
		{ "purgatory_policy", sizeof(struct purgatory_policy) },
		{ "purgatory_region_names", KEXEC_SEGMENT_MAX * REGION_NAME_SIZE },
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
		expect_flip_noticed(total + i, KEXEC_SEGMENT_MAX);
}

static void each_running_digest_counts(void **state)
{
	uint8_t *running;

	(void)state;
	load_and_digest();
	running = symbol_place("purgatory_running_digests", KEXEC_SEGMENT_MAX * SHA256_DIGEST_SIZE);
	for (size_t i = 0; i < KEXEC_SEGMENT_MAX * SHA256_DIGEST_SIZE; i += 31)
		expect_flip_noticed(running + i, KEXEC_SEGMENT_MAX);
}

static void each_region_entry_counts(void **state)
{
	struct sha_region *regions;
	struct sha_region saved;

	(void)state;
	load_and_digest();
	regions = symbol_place("purgatory_sha_regions", KEXEC_SEGMENT_MAX * sizeof(struct sha_region));
	for (size_t i = 0; i <= ARRAY_SIZE(plan); i++) {
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
	regions[KEXEC_SEGMENT_MAX - 1] = regions[0];
	assert_false(verdict_now().match);
}

static void late_regions_may_be_finished_again(void **state)
{
	(void)state;
	load_and_digest();
	memset(phys_to_ptr(PLANNED[2].mem), 0x77, 4096);
	assert_int_equal(verdict_now().region, 4);
	digest_finish(&digest);
	assert_true(verdict_now().match);
	memset(phys_to_ptr(PLANNED[4].mem), 0x78, 100);
	digest_finish(&digest);
	assert_true(verdict_now().match);
}

static void name_of_a_region_is_cut_to_its_field(void **state)
{
	const char(*names)[REGION_NAME_SIZE];

	(void)state;
	load();
	PLANNED[0].name = "a-name-of-twenty-four-ch";
	digest_init(&digest);
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	names = symbol_place("purgatory_region_names", KEXEC_SEGMENT_MAX * REGION_NAME_SIZE);
	assert_string_equal(names[0], "a-name-of-twent");
}

/* A purgatory that lacks one of the symbols, each in turn. */
static void purgatory_without_a_symbol(void **state)
{
	static const struct {
		const char *name;
		uint64_t size;
	} symbols[] = {
		{ "purgatory_sha_regions", KEXEC_SEGMENT_MAX * sizeof(struct sha_region) },
		{ "purgatory_region_names", KEXEC_SEGMENT_MAX * REGION_NAME_SIZE },
		{ "purgatory_running_digests", KEXEC_SEGMENT_MAX * SHA256_DIGEST_SIZE },
		{ "purgatory_sha256_digest", SHA256_DIGEST_SIZE },
	};
	static const uint8_t data[1024];
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
		digest_init(&digest);
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
		cmocka_unit_test(digest_is_that_of_all_regions_in_order),
		cmocka_unit_test(pieces_give_the_digest_of_the_whole),
		cmocka_unit_test(change_behind_a_piece_that_has_arrived_is_noticed),
		cmocka_unit_test(nothing_arrives_without_an_open_segment),
		cmocka_unit_test(bit_flipped_in_each_region),
		cmocka_unit_test(memory_around_the_regions_may_change),
		cmocka_unit_test(first_of_two_changed_regions_is_named),
		cmocka_unit_test(purgatory_that_has_changed),
		cmocka_unit_test(each_byte_of_the_digest_counts),
		cmocka_unit_test(each_running_digest_counts),
		cmocka_unit_test(each_region_entry_counts),
		cmocka_unit_test(late_regions_may_be_finished_again),
		cmocka_unit_test(name_of_a_region_is_cut_to_its_field),
		cmocka_unit_test(purgatory_without_a_symbol),
		cmocka_unit_test(every_allocation_failed_in_turn),
	};

	return run_named_tests(tests);
}
