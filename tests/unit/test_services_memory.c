// SPDX-License-Identifier: BSD-2-Clause
/* Memory of firmware whose map grows and lies, that refuses places, or that has no memory left. */
#include "efi/services/memory_map.h"

#include "boot/memory.h"
#include "common/align.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

#define MIB (1ull << 20)

static const struct efi_descriptor descriptors[] = {
	DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_CODE, 0, MIB),
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, MIB, 2 * MIB),
	DESCRIPTOR(EFI_MEMTYPE_LOADER_DATA, 2 * MIB, 4 * MIB),
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 4 * MIB, 5 * MIB),
};

static void start(void)
{
	fake_firmware_start(descriptors, ARRAY_SIZE(descriptors));
}

static void expect_nothing_held(void)
{
	assert_int_equal(fake_firmware.pool_held, 0);
	assert_int_equal(fake_firmware.pages_held, 0);
}

/* --- the map --- */

static void map_is_read_in_two_calls(void **state)
{
	struct memory_range range;
	struct memory_map map;
	size_t index = 0;

	(void)state;
	start();
	expect_ok(memory_map_read(&map));
	assert_int_equal(fake_firmware.map_calls, 2);
	assert_int_equal(map.size, 4 * 48);
	assert_int_equal(map.descriptor_size, 48);
	assert_int_equal(map.descriptor_version, 1);
	assert_true(memmap_next(&map, &index, &range));
	assert_int_equal(range.type, EFI_MEMTYPE_BOOT_SERVICES_CODE);
	memory_map_free(&map);
	assert_null(map.bytes);
	memory_map_free(&map);
	expect_nothing_held();
}

static void map_that_grows(void **state)
{
	static const struct {
		size_t growth;
		unsigned calls; /* 0: the buffer never suffices */
	} cases[] = { { 1, 2 }, { 8, 2 }, { 9, 0 }, { 40, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct memory_map map;

		start();
		fake_firmware.map_growth = cases[i].growth;
		if (cases[i].calls) {
			expect_ok(memory_map_read(&map));
			assert_int_equal(fake_firmware.map_calls, cases[i].calls);
			memory_map_free(&map);
		} else {
			expect_error(memory_map_read(&map), KEXEC_IO, "memory map: cannot read it: BUFFER_TOO_SMALL");
			assert_int_equal(fake_firmware.map_calls, 8);
		}
		expect_nothing_held();
	}
}

static void expect_map_refused(enum kexec_status status, const char *message)
{
	struct memory_map map = { .size = 1 };

	expect_error(memory_map_read(&map), status, message);
	assert_int_equal(map.size, 1);
	expect_nothing_held();
	assert_false(memory_map_read_or_warn(&map));
	assert_int_equal(strncmp(logged(), "warning: memory map: ", 21), 0);
	assert_non_null(strstr(logged(), message));
	expect_nothing_held();
	log_clear();
}

static void map_that_cannot_be_read(void **state)
{
	(void)state;
	start();
	fake_firmware.map_status = EFI_UNSUPPORTED;
	expect_map_refused(KEXEC_UNSUPPORTED, "memory map: cannot read it: UNSUPPORTED");
}

static void no_memory_for_the_map(void **state)
{
	struct memory_map map;

	(void)state;
	start();
	fake_firmware.pool_fails_at = 1;
	expect_error(memory_map_read(&map), KEXEC_NO_MEMORY, "memory map: cannot read it: OUT_OF_RESOURCES");
	expect_nothing_held();
	start();
	fake_firmware.map_growth = 9;
	fake_firmware.pool_fails_at = 3;
	expect_error(memory_map_read(&map), KEXEC_NO_MEMORY, "memory map: cannot read it: OUT_OF_RESOURCES");
	assert_int_equal(fake_firmware.map_calls, 3);
	expect_nothing_held();
}

static void map_that_lies(void **state)
{
	(void)state;
	start();
	fake_firmware.map_size_lie = 12 * 48 + 48;
	expect_map_refused(KEXEC_BAD_FORMAT,
			   "expected descriptors of at least 40 bytes in at most 576, found 48 in 624");
	fake_firmware.map_size_lie = 4 * 48 + 1;
	expect_map_refused(KEXEC_BAD_FORMAT,
			   "expected descriptors of at least 40 bytes in at most 576, found 48 in 193");
	fake_firmware.map_size_lie = 0;
	fake_firmware.descriptor_size_lie = 24;
	expect_map_refused(KEXEC_BAD_FORMAT,
			   "expected descriptors of at least 40 bytes in at most 384, found 24 in 192");
}

static void readable_memory(void **state)
{
	(void)state;
	start();
	assert_int_equal(memory_readable_size(3 * MIB), 2 * MIB);
	assert_int_equal(memory_readable_size(5 * MIB), 0);
	assert_string_equal(logged(), "");
	fake_firmware.map_status = EFI_DEVICE_ERROR;
	assert_int_equal(memory_readable_size(3 * MIB), 0);
	assert_string_equal(logged(), "warning: memory map: cannot read it: DEVICE_ERROR\n");
	expect_nothing_held();
}

/* --- pages --- */

/* A request for the two lowest pages. */
static struct memory_request lowest(void)
{
	return (struct memory_request){
		.kind = MEMORY_CODE, .size = 2 * PAGE_SIZE, .align = PAGE_SIZE, .min = MIB, .max = UINT32_MAX
	};
}

static struct memory_request highest(void)
{
	struct memory_request request = lowest();

	request.kind = MEMORY_DATA;
	request.top_down = true;
	return request;
}

static void expect_allocated(const struct memory_request *request, uint64_t expected)
{
	struct memory_pages pages;
	uint64_t addr;

	expect_ok(memory_alloc(request, "piece", &addr, &pages));
	assert_int_equal(addr, expected);
	assert_int_equal(pages.addr, align_down(expected - request->lead, PAGE_SIZE));
	assert_int_equal(fake_firmware.pages_held, pages.size / PAGE_SIZE);
	assert_int_equal(fake_firmware.type, request->kind == MEMORY_CODE ? EfiLoaderCode : EfiLoaderData);
	assert_int_equal(fake_firmware.pool_held, 0);
	memory_free(&pages);
	assert_int_equal(fake_firmware.pages_held, 0);
	assert_string_equal(logged(), "");
}

static void place_of_our_own_choice(void **state)
{
	struct memory_request request = lowest();

	(void)state;
	start();
	expect_allocated(&request, MIB);
	assert_int_equal(fake_firmware.highest_limit, 0);
	start();
	request.lead = PAGE_SIZE + 1;
	expect_allocated(&request, MIB + 2 * PAGE_SIZE);
	assert_int_equal(fake_firmware.places[0], MIB);
}

static void first_places_refused(void **state)
{
	static const unsigned refused[] = { 1, 5, 63 };
	struct memory_request request = lowest();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		start();
		fake_firmware.places_refused = refused[i];
		expect_allocated(&request, MIB + refused[i] * 2 * PAGE_SIZE);
		assert_int_equal(fake_firmware.places_count, refused[i] + 1);
		assert_int_equal(fake_firmware.map_calls, 2);
	}
}

/* The search goes on in the next hole, and requests no place twice. */
static void each_place_refused(void **state)
{
	struct memory_request request = lowest();
	struct memory_pages pages;
	uint64_t addr;

	(void)state;
	start();
	fake_firmware.places_refused = FAKE_PLACES_MAX;
	request.size = MIB / 4;
	expect_error(memory_alloc(&request, "piece", &addr, &pages), KEXEC_NO_MEMORY,
		     "piece: expected 0x40000 bytes at 0x4c0000, which the map calls free: NOT_FOUND");
	assert_int_equal(fake_firmware.places_count, 8);
	assert_int_equal(fake_firmware.places[3], MIB + 3 * MIB / 4);
	assert_int_equal(fake_firmware.places[4], 4 * MIB);
	expect_nothing_held();
}

static void not_more_than_64_places_are_tried(void **state)
{
	struct memory_request request = lowest();
	struct memory_pages pages;
	uint64_t addr;

	(void)state;
	start();
	fake_firmware.places_refused = FAKE_PLACES_MAX;
	expect_error(memory_alloc(&request, "piece", &addr, &pages), KEXEC_NO_MEMORY, "which the map calls free");
	assert_int_equal(fake_firmware.places_count, 64);
	expect_nothing_held();
}

static void no_place(void **state)
{
	struct memory_request request = lowest();
	struct memory_pages pages;
	uint64_t addr;

	(void)state;
	start();
	request.size = 3 * MIB;
	expect_error(memory_alloc(&request, "piece", &addr, &pages), KEXEC_NO_MEMORY,
		     "piece: not enough memory: expected 0x300000 bytes in one piece from 0x100000 to 0xffffffff, "
		     "found at most 0x100000");
	assert_int_equal(fake_firmware.places_count, 0);
	expect_nothing_held();
}

static void map_of_no_use_for_an_allocation(void **state)
{
	struct memory_request request = lowest();
	struct memory_pages pages;
	uint64_t addr;

	(void)state;
	start();
	fake_firmware.map_status = EFI_DEVICE_ERROR;
	expect_error(memory_alloc(&request, "piece", &addr, &pages), KEXEC_IO, "memory map: cannot read it");
	expect_nothing_held();
}

/* For plain pages the loader does not read the map. */
static void place_of_the_firmwares_choice(void **state)
{
	struct memory_request request = highest();

	(void)state;
	start();
	fake_firmware.highest_addr = 7 * MIB;
	expect_allocated(&request, 7 * MIB);
	assert_int_equal(fake_firmware.map_calls, 0);
	assert_int_equal(fake_firmware.highest_limit, UINT32_MAX);
	request.preferred_max = 8 * MIB - 1;
	expect_allocated(&request, 7 * MIB);
	assert_int_equal(fake_firmware.highest_limit, 8 * MIB - 1);
}

static void firmware_finds_no_place(void **state)
{
	struct memory_request request = highest();

	(void)state;
	start();
	fake_firmware.highest_status = EFI_OUT_OF_RESOURCES;
	expect_allocated(&request, 5 * MIB - 2 * PAGE_SIZE);
}

/* The loader frees the place that the firmware chose, and chooses one itself. */
static void firmware_chooses_badly(void **state)
{
	static const uint64_t bad[] = { MIB - PAGE_SIZE, 7 * MIB + 1, UINT32_MAX - PAGE_SIZE + 1, 1ull << 32 };
	struct memory_request request = highest();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		start();
		fake_firmware.highest_addr = bad[i];
		expect_allocated(&request, 5 * MIB - 2 * PAGE_SIZE);
	}
}

static void preferred_places_refused(void **state)
{
	struct memory_request request = highest();

	(void)state;
	start();
	fake_firmware.highest_status = EFI_OUT_OF_RESOURCES;
	fake_firmware.places_refused = 4;
	request.size = MIB / 4;
	request.preferred_max = 2 * MIB - 1;
	expect_allocated(&request, 5 * MIB - MIB / 4);
	assert_int_equal(fake_firmware.places[0], 2 * MIB - MIB / 4);
	assert_int_equal(fake_firmware.places[3], MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_is_read_in_two_calls),
		cmocka_unit_test(map_that_grows),
		cmocka_unit_test(map_that_cannot_be_read),
		cmocka_unit_test(no_memory_for_the_map),
		cmocka_unit_test(map_that_lies),
		cmocka_unit_test(readable_memory),
		cmocka_unit_test(place_of_our_own_choice),
		cmocka_unit_test(first_places_refused),
		cmocka_unit_test(each_place_refused),
		cmocka_unit_test(not_more_than_64_places_are_tried),
		cmocka_unit_test(no_place),
		cmocka_unit_test(map_of_no_use_for_an_allocation),
		cmocka_unit_test(place_of_the_firmwares_choice),
		cmocka_unit_test(firmware_finds_no_place),
		cmocka_unit_test(firmware_chooses_badly),
		cmocka_unit_test(preferred_places_refused),
	};

	return run_named_tests(tests);
}
