// SPDX-License-Identifier: BSD-2-Clause
/* The list of segments: accepted and refused ones, without memory leaks. */
#include "boot/kexec_image.h"

#include "common/align.h"
#include "tests/unit/support.h"

static struct kexec_image kexec_image;

static struct segment_request request_for(const char *name, uint64_t size)
{
	return (struct segment_request){
		.name = name,
		.bufsz = size,
		.memsz = size,
		.memory = { .size = size, .align = PAGE_SIZE, .max = UINT64_MAX },
	};
}

static enum kexec_status add(const struct segment_request *request)
{
	struct kexec_segment *segment = NULL;
	enum kexec_status status = kexec_image_add_segment(&kexec_image, request, &segment);

	if (!status)
		assert_ptr_equal(segment, &kexec_image.segments[kexec_image.count - 1]);
	else
		assert_null(segment);
	return status;
}

static void segment_in_whole_pages_with_zeroed_tail(void **state)
{
	struct segment_request request = request_for("kernel", 5000);
	const uint8_t *bytes;

	(void)state;
	request.memory.size = 20000;
	expect_ok(add(&request));
	assert_int_equal(kexec_image.segments[0].mem, FAKE_MEMORY_START);
	assert_int_equal(kexec_image.segments[0].bufsz, 5000);
	assert_int_equal(kexec_image.segments[0].memsz, 8192);
	assert_int_equal(kexec_image.segments[0].pages.size, 20480);

	bytes = phys_to_ptr(kexec_image.segments[0].mem);
	segment_seal(&kexec_image.segments[0]);
	assert_int_equal(bytes[4999], 0xa5);
	for (size_t i = 5000; i < 8192; i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(bytes[8192], 0xa5);
}

/* Segments placed before the destination was known must not overlap it, either. */
static void destination_over_a_segment(void **state)
{
	struct segment_request request = request_for("initrd", 5000);

	(void)state;
	expect_ok(add(&request));
	kexec_image.destination = (struct memory_pages){ .addr = FAKE_MEMORY_START + 0x1000, .size = 0x100000 };
	request.name = "kernel";
	expect_error(add(&request), KEXEC_BAD_FORMAT,
		     "segment initrd: [0x10000000, 0x10002000) overlaps the kernel's fixed place [0x10001000, ");
	assert_int_equal(kexec_image.count, 1);
}

/* The purgatory moves the kernel to the destination, and overwrites everything there. */
static void no_segment_lies_at_the_destination(void **state)
{
	struct segment_request request = request_for("initrd", 5000);

	(void)state;
	kexec_image.destination = (struct memory_pages){ .addr = FAKE_MEMORY_START, .size = 0x100000 };
	expect_ok(add(&request));
	assert_int_equal(kexec_image.segments[0].mem, FAKE_MEMORY_START + 0x100000);
	request.memory.top_down = true;
	expect_ok(add(&request));
	assert_int_equal(kexec_image.segments[1].mem, FAKE_MEMORY_END - 0x2000);
	fake_memory_lie(FAKE_MEMORY_START + 0xfe000);
	expect_error(add(&request), KEXEC_BAD_FORMAT,
		     "segment initrd: [0x100fe000, 0x10100000) overlaps the kernel's fixed place [0x10000000, "
		     "0x10100000)");
	kexec_image_free(&kexec_image);
	assert_int_equal(kexec_image.destination.size, 0);
	assert_int_equal(fake_memory_outstanding(), 0);
}

static void sixteen_segments_but_no_more(void **state)
{
	struct segment_request request = request_for("part", 100);

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		expect_ok(add(&request));
	expect_error(add(&request), KEXEC_TOO_LARGE, "segment part: expected at most 16 segments");
	assert_int_equal(fake_memory_outstanding(), 16);
	kexec_image_free(&kexec_image);
	assert_int_equal(fake_memory_outstanding(), 0);
	assert_int_equal(kexec_image.count, 0);
	kexec_image_free(&kexec_image);
}

static void segment_empty(void **state)
{
	struct segment_request request = request_for("initrd", 0);

	(void)state;
	expect_error(add(&request), KEXEC_BAD_FORMAT, "segment initrd: expected at least 1 byte, found 0");
}

static void segment_memory_smaller_than_content(void **state)
{
	struct segment_request request = request_for("initrd", 100);

	(void)state;
	request.memsz = 99;
	expect_error(add(&request), KEXEC_BAD_FORMAT, "content of 0x64 bytes, but memory for 0x63");
	request = request_for("initrd", 100);
	request.memory.size = 99;
	expect_error(add(&request), KEXEC_BAD_FORMAT, "0x64 bytes to place, but 0x63 asked for");
	assert_int_equal(fake_memory_allocations(), 0);
}

static void segment_size_wraps(void **state)
{
	struct segment_request request = request_for("initrd", UINT64_MAX);

	(void)state;
	expect_error(add(&request), KEXEC_TOO_LARGE, "segment initrd: 0xffffffffffffffff bytes cannot be placed");
}

static void allocation_fails(void **state)
{
	struct segment_request request = request_for("initrd", 100);

	(void)state;
	fake_memory_fail_at(1);
	expect_error(add(&request), KEXEC_NO_MEMORY, "initrd");
	assert_int_equal(kexec_image.count, 0);
}

static void allocator_returns_overlapping_memory(void **state)
{
	struct segment_request kernel = request_for("kernel", 8192);
	struct segment_request initrd = request_for("initrd", 8192);

	(void)state;
	expect_ok(add(&kernel));
	fake_memory_lie(FAKE_MEMORY_START + 4096);
	expect_error(add(&initrd), KEXEC_BAD_FORMAT,
		     "segment initrd: [0x10001000, 0x10003000) overlaps kernel at [0x10000000, 0x10002000)");
	assert_int_equal(kexec_image.count, 1);
	assert_int_equal(fake_memory_outstanding(), 1);
	/* An adjacent segment does not overlap. */
	fake_memory_lie(FAKE_MEMORY_START + 8192);
	expect_ok(add(&initrd));
}

static void allocator_returns_memory_past_the_end(void **state)
{
	struct segment_request request = request_for("initrd", 8192);

	(void)state;
	fake_memory_lie(align_down(UINT64_MAX, PAGE_SIZE));
	expect_error(add(&request), KEXEC_BAD_FORMAT, "segment initrd");
	assert_int_equal(fake_memory_outstanding(), 0);
}

static void allocator_returns_an_address_outside_its_pages(void **state)
{
	struct segment_request request = request_for("initrd", 8192);

	(void)state;
	fake_memory_shift(1);
	expect_error(add(&request), KEXEC_BAD_FORMAT,
		     "[0x10000001, +0x2000) is not within its pages [0x10000000, +0x2000)");
	fake_memory_shift(UINT64_MAX);
	expect_error(add(&request), KEXEC_BAD_FORMAT, "[0xfffffff, +0x2000) is not within");
	fake_memory_shift(0x2001);
	expect_error(add(&request), KEXEC_BAD_FORMAT, "[0x10002001, +0x2000) is not within");
	assert_int_equal(fake_memory_outstanding(), 0);
	expect_ok(add(&request));
}

static void kernel_lead_belongs_to_its_pages(void **state)
{
	struct segment_request request = request_for("kernel", 8192);

	(void)state;
	request.memory.lead = 5000;
	request.memory.align = 0x200000;
	expect_ok(add(&request));
	assert_int_equal(kexec_image.segments[0].mem, FAKE_MEMORY_START + 0x200000);
	assert_int_equal(kexec_image.segments[0].pages.addr, kexec_image.segments[0].mem - 8192);
	assert_int_equal(kexec_image.segments[0].pages.size, 16384);
}

static void printed_in_the_promised_form(void **state)
{
	struct segment_request request = request_for("kernel", 0x7d8200);

	(void)state;
	expect_ok(add(&request));
	kexec_image_print(&kexec_image);
	assert_string_equal(logged(), "segment kernel mem 0x0000000010000000 bufsz 0x00000000007d8200 "
				      "memsz 0x00000000007d9000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segment_in_whole_pages_with_zeroed_tail),
		cmocka_unit_test(destination_over_a_segment),
		cmocka_unit_test(no_segment_lies_at_the_destination),
		cmocka_unit_test(sixteen_segments_but_no_more),
		cmocka_unit_test(segment_empty),
		cmocka_unit_test(segment_memory_smaller_than_content),
		cmocka_unit_test(segment_size_wraps),
		cmocka_unit_test(allocation_fails),
		cmocka_unit_test(allocator_returns_overlapping_memory),
		cmocka_unit_test(allocator_returns_memory_past_the_end),
		cmocka_unit_test(allocator_returns_an_address_outside_its_pages),
		cmocka_unit_test(kernel_lead_belongs_to_its_pages),
		cmocka_unit_test(printed_in_the_promised_form),
	};

	return run_named_tests(tests);
}
