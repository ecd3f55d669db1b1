// SPDX-License-Identifier: BSD-2-Clause
/* Descriptors and gates, taken apart by Intel's figures (SDM volume 3, 3-8, 5-1, 6-8). */
#include "boot/descriptor_tables.h"

#include "tests/unit/support.h"

static uint64_t gdt[GDT_ENTRIES];
static struct idt_gate idt[IDT_GATES];

/* Base 0, limit 4 GiB, present, privilege level 0. */
static void expect_flat(uint64_t descriptor)
{
	uint64_t base = (descriptor >> 16 & 0xffffff) | (descriptor >> 56) << 24;
	uint64_t limit = (descriptor & 0xffff) | (descriptor >> 48 & 0xf) << 16;

	assert_int_equal(base, 0);
	assert_int_equal(limit, 0xfffff);
	assert_int_equal(descriptor >> 55 & 1, 1);   /* in pages */
	assert_int_equal(descriptor >> 44 & 0xf, 9); /* present, level 0, code or data */
	/* Accessed: otherwise the CPU would write this bit into a hashed table. */
	assert_int_equal(descriptor >> 40 & 1, 1);
}

static void expect_code(uint16_t selector)
{
	uint64_t descriptor = gdt[selector / 8];

	expect_flat(descriptor);
	assert_int_equal(descriptor >> 41 & 7, 5); /* code, not conforming, readable */
	assert_int_equal(descriptor >> 53 & 3, 1); /* of 64 bits */
}

static void expect_data(uint16_t selector)
{
	uint64_t descriptor = gdt[selector / 8];

	expect_flat(descriptor);
	assert_int_equal(descriptor >> 41 & 7, 1); /* data, writable */
}

/* The number of entries besides the three for the kernel. */
static unsigned others(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < GDT_ENTRIES; i++)
		count += gdt[i] != 0 && i != 2 && i != 3 && i != 4;
	return count;
}

static bool build(uint16_t code, uint16_t stack)
{
	const struct segments before = { .code = code, .stack = stack };
	bool result;

	memset(gdt, 0x5a, sizeof(gdt));
	result = gdt_build(gdt, &before);
	assert_int_equal(gdt[0], 0);
	expect_code(0x10);
	expect_data(0x18);
	assert_int_equal(gdt[4] >> 40 & 0x9f, 0x89); /* an available 64-bit TSS */
	assert_int_equal(gdt[5], 0);
	return result;
}

static void kernels_segments_and_the_firmwares(void **state)
{
	(void)state;
	/* edk2's selectors */
	assert_true(build(0x38, 0x30));
	expect_code(0x38);
	expect_data(0x30);
	assert_int_equal(others(), 2);
	assert_true(build(0xf8, 0x08));
	expect_code(0xf8);
	expect_data(0x08);
	/* A stack segment of 0 is legal in 64-bit mode. */
	assert_true(build(0x38, 0));
	expect_code(0x38);
	assert_int_equal(others(), 1);
}

static void firmware_with_the_kernels_segments(void **state)
{
	(void)state;
	assert_true(build(0x10, 0x18));
	assert_int_equal(others(), 0);
}

static void segments_that_cannot_be_kept(void **state)
{
	static const struct segments impossible[] = {
		{ 0x18, 0x30 },	 { 0x20, 0x30 },  { 0x28, 0x30 }, { 0x38, 0x10 }, { 0x38, 0x20 },   { 0x38, 0x28 },
		{ 0x100, 0x30 }, { 0x38, 0x100 }, { 0x3c, 0x30 }, { 0x38, 0x34 }, { 0x3b, 0x30 },   { 0x38, 0x33 },
		{ 0, 0x30 },	 { 0x30, 0x30 },  { 0xfff8, 0 },  { 0, 0 },	  { 0x38, 0xfff8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		assert_false(build(impossible[i].code, impossible[i].stack));
		assert_int_equal(others(), 0);
	}
}

static void gates_lead_to_their_entries(void **state)
{
	static const uint64_t places[] = { 0x1000, 0xfffff000, 0x123456789ab0, 0xffffffffffff0000 };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memset(idt, 0x5a, sizeof(idt));
		idt_build(idt, 0x38, places[i]);
		for (unsigned vector = 0; vector < IDT_GATES; vector++) {
			const struct idt_gate *gate = &idt[vector];
			uint64_t offset = gate->offset_low | (uint64_t)gate->offset_middle << 16 |
					  (uint64_t)gate->offset_high << 32;

			assert_int_equal(offset, places[i] + vector * 16);
			assert_int_equal(gate->selector, 0x38);
			assert_int_equal(gate->flags, 0x8e00); /* present, level 0, interrupts off, the same stack */
			assert_int_equal(gate->reserved, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_segments_and_the_firmwares),
		cmocka_unit_test(firmware_with_the_kernels_segments),
		cmocka_unit_test(segments_that_cannot_be_kept),
		cmocka_unit_test(gates_lead_to_their_entries),
	};

	return run_named_tests(tests);
}
