// SPDX-License-Identifier: BSD-2-Clause
/* The real purgatory moves a kernel in this process, and verifies it at its destination. */
#define _GNU_SOURCE /* mremap */

#include <sys/mman.h>
#include <unistd.h>

#include "boot/digest.h"
#include "boot/forensics.h"
#include "common/align.h"
#include "common/stop_note.h"
#include "purgatory/verdict.h"
#include "tests/unit/support.h"

/* As in memtest86+, the lead is no multiple of the digest's block size, and the file ends within a page. */
#define LEAD 1536
#define CONTENT 100001
#define TAIL 1472 /* for example a signature */

static struct kexec_image kexec_image;
static const struct kexec_segment *kernel;
static struct purgatory purgatory;
static struct digest digest;
static struct page_record record;

/* The pages of the destination. A test may map one of them twice: then it does not keep its content. */
static uint8_t *place;
static size_t place_pages;

static void make_place(size_t size)
{
	int file = memfd_create("place", 0);

	place_pages = size / PAGE_SIZE;
	assert_int_equal(ftruncate(file, (off_t)size), 0);
	place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_true(place != MAP_FAILED);
	memset(place, 0x5a, size);
	close(file);
}

/* Makes page `twin` the same memory as page 0. */
static void alias_pages(size_t twin)
{
	void *found = mremap(place, 0, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place + twin * PAGE_SIZE);

	assert_ptr_equal(found, place + twin * PAGE_SIZE);
}

static void load_kernel(void)
{
	struct segment_request request = {
		.name = "kernel",
		.bufsz = CONTENT,
		.memsz = CONTENT,
		.stage = DIGEST_FILES,
		.memory = { .lead = LEAD, .size = CONTENT + TAIL, .align = PAGE_SIZE, .max = UINT32_MAX },
	};
	struct kexec_segment *segment;
	uint8_t *file;

	expect_ok(kexec_image_add_segment(&kexec_image, &request, &segment));
	kernel = segment;
	file = phys_to_ptr(segment->mem - LEAD);
	for (size_t i = 0; i < LEAD + CONTENT + TAIL; i++)
		file[i] = (uint8_t)(i * 7 + i / 4096);
	expect_ok(digest_start(&digest));
	digest_add(&digest, "kernel", segment->mem - LEAD, segment->mem + CONTENT + TAIL);
	digest_add_zeros(&digest, segment, segment->mem - LEAD + region_covered(LEAD + CONTENT + TAIL));
}

static void *symbol_place(const char *name)
{
	struct elf_rel_symbol symbol;

	expect_ok(elf_rel_find_symbol(&purgatory.object, name, &symbol));
	return phys_to_ptr(purgatory.segment->mem + symbol.offset);
}

static struct verdict call(const char *function)
{
	struct verdict verdict;
	void (*verify)(struct verdict *);

	memset(&verdict, 0xa5, sizeof(verdict));
	*(void **)&verify = symbol_place(function);
	verify(&verdict);
	return verdict;
}

/* Runs up to the purgatory's first verification, which succeeds. */
static void boot(void)
{
	struct kernel_move move;
	const uint8_t *object;
	size_t size;

	object = map_file(PURGATORY_RO, &size);
	expect_ok(purgatory_load(&kexec_image, object, size, &purgatory));
	load_kernel();
	make_place(kernel->memsz);
	forensics_record_pages(&kexec_image, &digest, &record);
	expect_ok(purgatory_set(&purgatory, purgatory_page_record, &record));
	move = (struct kernel_move){ .from = kernel->mem, .to = (uintptr_t)place, .size = kernel->memsz };
	expect_ok(purgatory_set(&purgatory, purgatory_kernel_move, &move));
	expect_ok(digest_prepare(&kexec_image, &purgatory, &digest));
	digest_finish(&digest);
	assert_true(call("purgatory_verify").match);
}

static void kernel_is_moved_and_verified(void **state)
{
	struct verdict verdict;

	(void)state;
	boot();
	assert_false(call("purgatory_verify").is_copy);
	verdict = call("purgatory_move");
	assert_true(verdict.match);
	assert_true(verdict.is_copy);
	assert_memory_equal(place, phys_to_ptr(kernel->mem), kernel->memsz);
}

/* The memory does not keep its content: two pages are the same memory. */
static void copy_that_differs(void **state)
{
	struct verdict verdict;

	(void)state;
	boot();
	alias_pages(5);
	verdict = call("purgatory_move");
	assert_false(verdict.match);
	assert_true(verdict.is_copy);
	assert_false(verdict.is_record);
	assert_int_equal(verdict.region, 0);
}

/* A change after the first verification, before the copy, is copied as well. */
static void expect_change_is_noticed(uint8_t *byte)
{
	*byte ^= 1;
	assert_false(call("purgatory_move").match);
	*byte ^= 1;
	assert_true(call("purgatory_move").match);
}

static void each_end_of_the_file_counts(void **state)
{
	uint8_t *content;

	(void)state;
	boot();
	content = phys_to_ptr(kernel->mem);
	expect_change_is_noticed(content - LEAD);
	expect_change_is_noticed(content - 1);
	expect_change_is_noticed(content);
	expect_change_is_noticed(content + CONTENT - 1);
	expect_change_is_noticed(content + CONTENT);
	expect_change_is_noticed(content + CONTENT + TAIL - 1);
	expect_change_is_noticed(content + kernel->memsz - 1);
}

/* The purgatory verifies the copy; the original no longer matters. */
static void place_that_the_kernel_has_left_may_change(void **state)
{
	uint8_t *content;

	(void)state;
	boot();
	content = phys_to_ptr(kernel->mem);
	assert_true(call("purgatory_move").match);
	content[4096] ^= 1;
	assert_true(call("purgatory_verify").match);
	content[-1] ^= 1;
	assert_false(call("purgatory_verify").match);
	content[-1] ^= 1;
	place[4096] ^= 1;
	assert_false(call("purgatory_verify").match);
}

static void changed_page_of_the_copy_is_named(void **state)
{
	void (*find)(const struct sha_region *, const struct page_range *, struct page_findings *);
	struct page_findings findings;

	(void)state;
	boot();
	assert_true(call("purgatory_move").match);
	place[3 * PAGE_SIZE + 10] ^= 4;
	*(void **)&find = symbol_place("find_changed_pages");
	find(&digest.table.regions[0], &record.ranges[0], &findings);
	assert_int_equal(findings.differing, 1);
	assert_int_equal(findings.first[0].address, (uintptr_t)place + 3 * PAGE_SIZE);
	assert_int_equal(findings.first[0].change, PAGE_ONE_BIT);
	assert_int_equal(findings.first[0].bit, 82);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_is_moved_and_verified),
		cmocka_unit_test(copy_that_differs),
		cmocka_unit_test(each_end_of_the_file_counts),
		cmocka_unit_test(place_that_the_kernel_has_left_may_change),
		cmocka_unit_test(changed_page_of_the_copy_is_named),
	};

	return run_named_tests(tests);
}
