// SPDX-License-Identifier: BSD-2-Clause
/* CR0 and CR4 for vector registers, in each state in which firmware can leave them. Bits: Intel SDM volume 3, 2.5. */
#include "boot/control_registers.h"

#include "tests/unit/support.h"

#define BIT(number) (1ull << (number))

enum { MP = 1, EM = 2, TS = 3, OSFXSR = 9, OSXMMEXCPT = 10, STATES = 1 << 5 };

/* The other bits of each register are `others`: all zeros or all ones. */
static struct control_registers state_of(unsigned number, uint64_t others)
{
	static const unsigned cr0_bits[] = { MP, EM, TS };
	static const unsigned cr4_bits[] = { OSFXSR, OSXMMEXCPT };
	struct control_registers found = { .cr0 = others, .cr4 = others };

	for (unsigned i = 0; i < 3; i++)
		found.cr0 = number & 1u << i ? found.cr0 | BIT(cr0_bits[i]) : found.cr0 & ~BIT(cr0_bits[i]);
	for (unsigned i = 0; i < 2; i++)
		found.cr4 = number & 8u << i ? found.cr4 | BIT(cr4_bits[i]) : found.cr4 & ~BIT(cr4_bits[i]);
	return found;
}

static void expect_same(struct control_registers found, struct control_registers expected)
{
	assert_int_equal(found.cr0, expected.cr0);
	assert_int_equal(found.cr4, expected.cr4);
}

static void vectors_work_from_each_state(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		struct control_registers off = control_registers_for_vectors(state_of(i, 0));
		struct control_registers on = control_registers_for_vectors(state_of(i, UINT64_MAX));

		assert_int_equal(off.cr0, BIT(MP));
		assert_int_equal(off.cr4, BIT(OSFXSR) | BIT(OSXMMEXCPT));
		assert_int_equal(on.cr0, ~(BIT(EM) | BIT(TS)));
		assert_int_equal(on.cr4, UINT64_MAX);
	}
}

static void each_state_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		struct control_registers before = state_of(i, 0);

		expect_same(control_registers_as_before(control_registers_for_vectors(before), before), before);
		/* Bits that the firmware has changed meanwhile stay changed. */
		expect_same(control_registers_as_before(state_of(STATES - 1 - i, UINT64_MAX), before),
			    state_of(i, UINT64_MAX));
	}
}

/* The states of QEMU's U-Boot and of OVMF. If no bit is missing, nothing must be written. */
static void firmware_as_it_is(void **state)
{
	const struct control_registers u_boot = { .cr0 = 0x80000011, .cr4 = 0x20 };
	const struct control_registers ovmf = { .cr0 = 0x80010033, .cr4 = 0x668 };

	(void)state;
	expect_same(control_registers_for_vectors(u_boot),
		    (struct control_registers){ .cr0 = 0x80000013, .cr4 = 0x620 });
	expect_same(control_registers_for_vectors(ovmf), ovmf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_work_from_each_state),
		cmocka_unit_test(each_state_comes_back),
		cmocka_unit_test(firmware_as_it_is),
	};

	return run_named_tests(tests);
}
