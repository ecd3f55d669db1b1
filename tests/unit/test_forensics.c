// SPDX-License-Identifier: BSD-2-Clause
/* The record of pages, as the purgatory receives it. */
#include "boot/forensics.h"

#include "common/align.h"
#include "tests/unit/support.h"

#define LEAD 5000

static struct kexec_image kexec_image;
static struct digest digest;

/* `lead` and `behind` are the sizes of its file before and behind the segment. */
static const struct kexec_segment *add(const char *name, uint64_t lead, uint64_t size, uint64_t behind,
				       enum digest_stage stage)
{
	struct segment_request request = {
		.name = name,
		.bufsz = size,
		.memsz = size,
		.stage = stage,
		.memory = { .lead = lead, .size = size + behind, .align = 4 * PAGE_SIZE, .max = UINT32_MAX },
	};
	struct kexec_segment *segment;

	if (!digest.hash)
		expect_ok(digest_start(&digest));
	expect_ok(kexec_image_add_segment(&kexec_image, &request, &segment));
	memset(phys_to_ptr(segment->mem - lead), (int)kexec_image.count, size + lead);
	if (stage == DIGEST_FILES)
		digest_add(&digest, name, segment->mem - lead, segment->mem + size + behind);
	return segment;
}

static void expect_range(const struct page_range *range, const struct kexec_segment *segment, uint64_t lead,
			 uint64_t size)
{
	const uint64_t *sums = phys_to_ptr(range->sums);

	assert_int_equal(range->start, align_down(segment->mem - lead, PAGE_SIZE));
	assert_int_equal(range->start + range->count * PAGE_SIZE, align_up(segment->mem + size, PAGE_SIZE));
	for (uint64_t i = 0; i < range->count; i++)
		assert_int_equal(sums[i], page_sum(phys_to_ptr(range->start + i * PAGE_SIZE)));
}

static void all_pages_of_files_are_recorded(void **state)
{
	const struct kexec_segment *kernel = add("kernel", LEAD, 20000, 3000, DIGEST_FILES);
	const struct kexec_segment *initrd = add("initrd", 0, 100000, 0, DIGEST_FILES);
	const struct kexec_segment *segment;
	struct page_record record;

	(void)state;
	add("cmdline", 0, 100, 0, DIGEST_EARLY);
	forensics_record_pages(&kexec_image, &digest, &record);
	expect_range(&record.ranges[0], kernel, LEAD, 23000);
	expect_range(&record.ranges[1], initrd, 0, 100000);
	segment = &kexec_image.segments[kexec_image.count - 1];
	assert_string_equal(segment->name, "page_record");
	assert_int_equal(segment->stage, DIGEST_EARLY);
	assert_int_equal(record.ranges[0].sums, segment->mem);
	assert_int_equal(segment->bufsz, (record.ranges[0].count + record.ranges[1].count) * sizeof(uint64_t));
	kexec_image_free(&kexec_image);
}

static void without_an_initrd(void **state)
{
	const struct kexec_segment *kernel = add("kernel", 0, 4096, 0, DIGEST_FILES);
	struct page_record record;

	(void)state;
	forensics_record_pages(&kexec_image, &digest, &record);
	expect_range(&record.ranges[0], kernel, 0, 4096);
	assert_int_equal(record.ranges[1].count, 0);
	kexec_image_free(&kexec_image);
}

/* The boot goes on without a record. */
static void without_memory(void **state)
{
	struct page_record record;

	(void)state;
	add("kernel", 0, 4096, 0, DIGEST_FILES);
	fake_memory_fail_at(1);
	forensics_record_pages(&kexec_image, &digest, &record);
	assert_int_equal(record.ranges[0].count, 0);
	assert_int_equal(kexec_image.count, 1);
	assert_non_null(strstr(logged(), "warning: forensics: no pages will be named"));
	kexec_image_free(&kexec_image);
}

static void purgatory_gets_the_record(void **state)
{
	const struct page_record record = { .ranges = { { .start = 0x1000, .count = 2, .sums = 0x9000 } } };
	struct page_record found;
	struct purgatory purgatory;
	const uint8_t *object;
	size_t size;

	(void)state;
	object = map_file(PURGATORY_RO, &size);
	expect_ok(purgatory_load(&kexec_image, object, size, &purgatory));
	expect_ok(purgatory_set(&purgatory, purgatory_page_record, &record));
	expect_ok(purgatory_get_symbol(&purgatory, "purgatory_page_record", &found, sizeof(found)));
	assert_memory_equal(&found, &record, sizeof(record));
	kexec_image_free(&kexec_image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_of_files_are_recorded),
		cmocka_unit_test(without_an_initrd),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(purgatory_gets_the_record),
	};

	return run_named_tests(tests);
}
