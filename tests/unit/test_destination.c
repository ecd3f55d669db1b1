// SPDX-License-Identifier: BSD-2-Clause
/* The owner of a kernel's fixed place, and where the kernel's file goes. */
#include "boot/destination.h"

#include "common/align.h"
#include "common/format.h"
#include "tests/unit/support.h"

#define MIB (1ull << 20)

/* A payload of 1 MiB with a fixed address, like memtest86+. */
static struct kernel_plan plan;

static void make_plan(void)
{
	plan = (struct kernel_plan){
		.lead_size = 0x600,
		.content_size = 0x22db8,
		.init_size = 0x6acf8,
		.memory = { .lead = 0x600, .size = 0x6acf8, .align = PAGE_SIZE, .min = MIB, .max = MIB + 0x6acf7 },
		.elsewhere = { .kind = MEMORY_DATA, .lead = 0x600, .size = 0x22db8, .align = PAGE_SIZE },
	};
}

static struct memory_request request;
static struct memory_pages destination;

static enum kexec_status choose(const struct memory_map *map)
{
	return destination_choose("/memtest", &plan, map, &request, &destination);
}

static void place_that_is_free(void **state)
{
	struct efi_descriptor all[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 64 * MIB) };
	struct memory_map map = MAP_OF(all);

	(void)state;
	make_plan();
	expect_ok(choose(&map));
	assert_memory_equal(&request, &plan.memory, sizeof(request));
	assert_int_equal(destination.size, 0);
}

/* A relocatable kernel never moves, whether there is room for it or not. */
static void kernel_without_a_fixed_place(void **state)
{
	struct efi_descriptor none[] = { DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_DATA, 0, 64 * MIB) };
	struct memory_map map = MAP_OF(none);

	(void)state;
	make_plan();
	plan.elsewhere.size = 0;
	expect_ok(choose(&map));
	assert_memory_equal(&request, &plan.memory, sizeof(request));
	assert_int_equal(destination.size, 0);
}

static void expect_move(const struct memory_map *map)
{
	expect_ok(choose(map));
	assert_memory_equal(&request, &plan.elsewhere, sizeof(request));
	assert_int_equal(destination.addr, MIB);
	assert_int_equal(destination.size, 0x6b000);
	assert_true(destination_is_free(&destination, map));
}

/* Below 1 MiB are video memory and the BIOS. */
static void no_room_for_the_lead(void **state)
{
	struct efi_descriptor all[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 0xa0000),
					DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, MIB, 64 * MIB) };
	struct memory_map map = MAP_OF(all);

	(void)state;
	make_plan();
	expect_move(&map);
}

/* The pieces have all types that become free at the exit, in any order. */
static void place_of_the_firmware(void **state)
{
	struct efi_descriptor pieces[] = {
		DESCRIPTOR(EFI_MEMTYPE_LOADER_DATA, MIB + 0x10000, MIB + 0x20000),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, MIB + 0x10000),
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_CODE, MIB + 0x40000, MIB + 0x6b000),
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_DATA, MIB + 0x30000, MIB + 0x40000),
		DESCRIPTOR(EFI_MEMTYPE_LOADER_CODE, MIB + 0x20000, MIB + 0x30000),
		DESCRIPTOR(EFI_MEMTYPE_RUNTIME_SERVICES_DATA, MIB + 0x6b000, 64 * MIB),
	};
	struct memory_map map = MAP_OF(pieces);

	(void)state;
	make_plan();
	expect_move(&map);
}

/* One page of the destination stays in use after the exit. */
static void expect_owner(uint32_t type, uint64_t attribute, const char *owner)
{
	struct efi_descriptor pieces[] = {
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_DATA, 0, MIB + 0x6a000),
		DESCRIPTOR(type, MIB + 0x6a000, MIB + 0x6c000),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, MIB + 0x6c000, 64 * MIB),
	};
	struct memory_map map = MAP_OF(pieces);
	char message[256];

	pieces[1].attribute = attribute;
	make_plan();
	format_text(message, sizeof(message),
		    "/memtest: not relocatable: expected memory that is free after the firmware's exit from 0x100000 "
		    "to 0x16b000, found %s from 0x16a000 to 0x16c000; a relocatable kernel goes elsewhere",
		    owner);
	expect_error(choose(&map), KEXEC_NO_MEMORY, message);
	destination = (struct memory_pages){ .addr = MIB, .size = 0x6b000 };
	assert_false(destination_is_free(&destination, &map));
	destination.size = 0x6a000;
	assert_true(destination_is_free(&destination, &map));
	expect_ok(destination_check("/memtest", &destination, &map));
}

static void place_that_is_kept(void **state)
{
	(void)state;
	expect_owner(EFI_MEMTYPE_RESERVED, 0, "reserved memory");
	expect_owner(EFI_MEMTYPE_RUNTIME_SERVICES_CODE, 0, "code of the firmware's runtime services");
	expect_owner(EFI_MEMTYPE_RUNTIME_SERVICES_DATA, 0, "data of the firmware's runtime services");
	expect_owner(EFI_MEMTYPE_UNUSABLE, 0, "memory with errors");
	expect_owner(EFI_MEMTYPE_ACPI_RECLAIM, 0, "ACPI tables");
	expect_owner(EFI_MEMTYPE_ACPI_NVS, 0, "ACPI NVS memory");
	expect_owner(EFI_MEMTYPE_MMIO, 0, "memory-mapped devices");
	expect_owner(EFI_MEMTYPE_MMIO_PORT, 0, "memory-mapped ports");
	expect_owner(EFI_MEMTYPE_PAL_CODE, 0, "processor firmware");
	expect_owner(EFI_MEMTYPE_PERSISTENT, 0, "persistent memory");
	expect_owner(EFI_MEMTYPE_UNACCEPTED, 0, "memory that the guest has not accepted");
	expect_owner(0x70000001, 0, "memory of an unknown type");
	expect_owner(EFI_MEMTYPE_CONVENTIONAL, EFI_MEMATTR_SPECIFIC_PURPOSE, "memory for a specific purpose");
	expect_owner(EFI_MEMTYPE_BOOT_SERVICES_DATA, EFI_MEMATTR_RUNTIME, "memory of the firmware's runtime services");
}

/* A second descriptor reports the same memory as free. */
static void place_that_two_claim(void **state)
{
	struct efi_descriptor pieces[] = {
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_DATA, 0, 64 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_ACPI_NVS, MIB + 0x1000, MIB + 0x2000),
	};
	struct memory_map map = MAP_OF(pieces);

	(void)state;
	make_plan();
	expect_error(choose(&map), KEXEC_NO_MEMORY, "found ACPI NVS memory from 0x101000 to 0x102000");
}

static void place_without_memory(void **state)
{
	struct efi_descriptor pieces[] = {
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_DATA, 0, MIB + 0x30000),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, MIB + 0x31000, 64 * MIB),
	};
	struct memory_map map = MAP_OF(pieces);

	(void)state;
	make_plan();
	expect_error(choose(&map), KEXEC_NO_MEMORY,
		     "/memtest: not relocatable: expected memory from 0x100000 to 0x16b000, found none at 0x130000");
	plan.memory.min = 128 * MIB;
	expect_error(choose(&map), KEXEC_NO_MEMORY, "found none at 0x8000000");
}

static void no_place_at_all(void **state)
{
	struct efi_descriptor all[] = { DESCRIPTOR(EFI_MEMTYPE_RESERVED, 0, 64 * MIB) };
	const struct memory_pages nowhere = { 0 };
	struct memory_map map = MAP_OF(all);

	(void)state;
	assert_true(destination_is_free(&nowhere, &map));
	expect_ok(destination_check("/vmlinuz", &nowhere, &map));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_that_is_free),	cmocka_unit_test(kernel_without_a_fixed_place),
		cmocka_unit_test(no_room_for_the_lead), cmocka_unit_test(place_of_the_firmware),
		cmocka_unit_test(place_that_is_kept),	cmocka_unit_test(place_that_two_claim),
		cmocka_unit_test(place_without_memory), cmocka_unit_test(no_place_at_all),
	};

	return run_named_tests(tests);
}
