// SPDX-License-Identifier: BSD-2-Clause
/* Sections on the way to their places, and the digests taken as they arrive. */
#include "boot/unified_file.h"

#include "common/align.h"
#include "tests/unit/support.h"

#define FILE_SIZE 40000u

static const struct unified_image
	image = { .sections = {
			  [UNIFIED_KERNEL] = { .offset = 512, .file_size = 9999, .size = 9999 },
			  [UNIFIED_INITRD] = { .offset = 12000, .file_size = 20001, .size = 20001 },
			  [UNIFIED_COMMAND_LINE] = { .offset = 36000, .file_size = 6, .size = 8 },
		  } };

static struct boot_part extra = { .name = "/extra" };
static struct boot_plan plan;
static struct unified_file file;
static struct kexec_image kexec_image;
static struct digest digest;

static enum kexec_status place(const struct unified_image *of)
{
	plan.kernel.name = "/x.efi";
	plan.said_by = "my.conf";
	if (!digest.hash)
		expect_ok(digest_start(&digest));
	file = (struct unified_file){ .image = *of };
	return unified_file_place(&file, &plan, FILE_SIZE, &kexec_image, &digest);
}

static void arrive(void)
{
	for (size_t i = 0; i < FILE_SIZE; i++)
		file.bytes[i] = (uint8_t)(i * i >> 3 | 1);
	memcpy(file.bytes + 36000, "quiet\n", 6);
	unified_hasher_arrived(&file.hasher, file.bytes, FILE_SIZE);
}

/* The region's digest is that of its current content. */
static void expect_region(size_t index, const char *name, uint64_t start, uint64_t size)
{
	uint8_t found[SHA256_DIGEST_SIZE];

	assert_true(index < digest.early_count && index < digest.table.count);
	assert_string_equal(digest.table.names[index], name);
	assert_int_equal(digest.table.regions[index].start, start);
	assert_int_equal(digest.table.regions[index].len, size);
	region_digest(digest.hash, &digest.table.regions[index], found);
	assert_memory_equal(digest.digests[index], found, sizeof(found));
}

static void release(void)
{
	unified_file_free(&file);
	unified_file_free(&file);
	kexec_image_free(&kexec_image);
	digest_free(&digest);
	assert_int_equal(fake_memory_outstanding(), 0);
}

static void initrd_that_is_alone_stays(void **state)
{
	const struct kexec_segment *segment;

	(void)state;
	expect_ok(place(&image));
	segment = file.initrd;
	assert_non_null(segment);
	assert_int_equal(file.pages.size, 0);
	assert_int_equal(segment->mem % PAGE_SIZE, 0);
	assert_int_equal(segment->mem, (uintptr_t)file.bytes + 12000);
	assert_in_range((uintptr_t)file.bytes, segment->pages.addr,
			segment->pages.addr + segment->pages.size - FILE_SIZE);
	arrive();
	expect_ok(unified_file_keep_initrd(&file, "/x.efi", UINT64_MAX, &digest));
	expect_region(0, "initrd", segment->mem, 20001);
	expect_region(1, "initrd", segment->mem + 20004, 5 * PAGE_SIZE - 20004);
	for (uint64_t i = 20001; i < segment->memsz; i++)
		assert_int_equal(*(uint8_t *)phys_to_ptr(segment->mem + i), 0);
	release();
}

static void initrd_too_high_for_the_kernel(void **state)
{
	uint64_t end;

	(void)state;
	expect_ok(place(&image));
	arrive();
	end = file.initrd->mem + file.initrd->memsz;
	expect_error(unified_file_keep_initrd(&file, "/x.efi", end - 2, &digest), KEXEC_NO_MEMORY,
		     "/x.efi: .initrd: expected room up to 0x");
	expect_ok(unified_file_keep_initrd(&file, "/x.efi", end - 1, &digest));
	release();
}

/* It moves if other initrds follow, if microcode precedes it, if zeros follow; and there may be none. */
static void initrd_that_must_move(void **state)
{
	struct unified_image other = image;

	(void)state;
	plan.initrds = &extra;
	plan.initrd_count = 1;
	expect_ok(place(&image));
	assert_null(file.initrd);
	assert_int_not_equal(file.pages.size, 0);
	release();

	plan.initrd_count = 0;
	other.sections[UNIFIED_MICROCODE] = (struct unified_section){ .offset = 38000, .file_size = 1, .size = 1 };
	expect_ok(place(&other));
	assert_null(file.initrd);
	release();

	other = image;
	other.sections[UNIFIED_INITRD].size++;
	expect_ok(place(&other));
	assert_null(file.initrd);
	release();

	other.sections[UNIFIED_INITRD].size = 0;
	expect_ok(place(&other));
	assert_null(file.initrd);
	arrive();
	expect_ok(unified_file_keep_initrd(&file, "/x.efi", 0, &digest));
	assert_int_equal(digest.table.count, 0);
	release();
}

static void sections_that_move(void **state)
{
	struct unified_image other = image;
	static uint8_t elsewhere[64 << 10];

	(void)state;
	other.sections[UNIFIED_INITRD].size += 5000;
	expect_ok(place(&other));
	arrive();
	memset(elsewhere, 0xee, sizeof(elsewhere));
	unified_file_copy(&file, UNIFIED_INITRD, (uintptr_t)elsewhere);
	unified_file_add_region(&file, UNIFIED_INITRD, (uintptr_t)elsewhere, &digest, "initrd");
	expect_region(0, "initrd", (uintptr_t)elsewhere, 25001);
	assert_memory_equal(elsewhere, file.bytes + 12000, 20001);
	assert_int_equal(elsewhere[25003], 0);
	assert_int_equal(elsewhere[25004], 0xee);
	release();
}

/* A change before the move shows at the section's final place. */
static void change_before_the_move(void **state)
{
	static uint8_t elsewhere[64 << 10];
	uint8_t found[SHA256_DIGEST_SIZE];

	(void)state;
	expect_ok(place(&image));
	arrive();
	file.bytes[512 + 5000] ^= 1;
	unified_file_copy(&file, UNIFIED_KERNEL, (uintptr_t)elsewhere);
	unified_file_add_region(&file, UNIFIED_KERNEL, (uintptr_t)elsewhere, &digest, "kernel");
	region_digest(digest.hash, &digest.table.regions[0], found);
	assert_memory_not_equal(digest.digests[0], found, sizeof(found));
	release();
}

static void command_line(void **state)
{
	(void)state;
	expect_ok(place(&image));
	arrive();
	expect_ok(unified_file_settle_command_line(&file, &plan, false));
	assert_string_equal(file.command_line.start, "quiet");
	assert_int_equal(file.command_line.length, 5);
	release();
}

/* .cmdline names an initrd. It is loaded, unless there is an .initrd, or a signature vouches for the boot. */
static void command_line_with_an_initrd(void **state)
{
	static const char line[] = "initrd=/more";
	struct unified_image other = image;

	(void)state;
	other.sections[UNIFIED_COMMAND_LINE].file_size = other.sections[UNIFIED_COMMAND_LINE].size = strlen(line);
	for (unsigned i = 0; i < 3; i++) {
		if (i)
			other.sections[UNIFIED_INITRD] = (struct unified_section){ 0 };
		expect_ok(place(&other));
		memcpy(file.bytes + 36000, line, strlen(line));
		unified_hasher_arrived(&file.hasher, file.bytes, FILE_SIZE);
		if (i == 2)
			expect_error(unified_file_settle_command_line(&file, &plan, true), KEXEC_DENIED,
				     "/x.efi: .cmdline: expected signed initrds only, found \"initrd=/more\", which "
				     "the kernel's EFI stub would read\n");
		else
			expect_ok(unified_file_settle_command_line(&file, &plan, i == 0));
		assert_int_equal(plan.initrd_count, i == 1);
		assert_string_equal(logged(), i == 0 ? "warning: /x.efi: .cmdline: expected no initrd= beside .initrd, "
						       "found \"initrd=/more\": it is not loaded\n" :
						       "");
		log_clear();
		release();
		boot_plan_free(&plan);
	}
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void command_line_that_was_changed(void **state)
{
	(void)state;
	expect_ok(place(&image));
	arrive();
	file.bytes[36000] ^= 1;
	expect_error(unified_file_settle_command_line(&file, &plan, false), KEXEC_MISMATCH,
		     "/x.efi: .cmdline: expected its 6 bytes as they were read, found others");
	release();
}

static void image_without_a_command_line(void **state)
{
	struct unified_image other = image;

	(void)state;
	other.sections[UNIFIED_COMMAND_LINE] = (struct unified_section){ 0 };
	plan.command_line = (struct text){ .start = "debug", .length = 5 };
	expect_ok(place(&other));
	arrive();
	expect_ok(unified_file_settle_command_line(&file, &plan, false));
	assert_string_equal(file.command_line.start, "debug");
	release();
}

static void no_memory_for_the_file(void **state)
{
	(void)state;
	for (size_t count = 0; count < 2; count++) {
		plan.initrds = &extra;
		plan.initrd_count = count;
		fake_memory_fail_at(1);
		expect_error(place(&image), KEXEC_NO_MEMORY, count ? "unified image" : "initrd");
		release();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initrd_that_is_alone_stays),	 cmocka_unit_test(initrd_too_high_for_the_kernel),
		cmocka_unit_test(initrd_that_must_move),	 cmocka_unit_test(sections_that_move),
		cmocka_unit_test(change_before_the_move),	 cmocka_unit_test(command_line),
		cmocka_unit_test(command_line_that_was_changed), cmocka_unit_test(image_without_a_command_line),
		cmocka_unit_test(no_memory_for_the_file),	 cmocka_unit_test(command_line_with_an_initrd),
	};

	return run_named_tests(tests);
}
