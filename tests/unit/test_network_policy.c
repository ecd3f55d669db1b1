// SPDX-License-Identifier: BSD-2-Clause
/* Who must vouch for parts from the network. */
#include "boot/network_policy.h"

#include "boot/entry.h"
#include "tests/unit/support.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILES "linux /k\ninitrd /a\ninitrd /b\n"

static struct boot_plan plan;

static void make(const char *text, enum entry_place place)
{
	expect_ok(entry_to_plan("x.conf", text_of_string(text), place, &plan));
	boot_plan_use_network(&plan);
}

static void nobody_vouches(void **state)
{
	(void)state;
	make(FILES, ENTRY_OUTSIDE);
	assert_true(network_policy_applies(&plan));
	expect_error(network_policy_check(&plan, false), KEXEC_DENIED,
		     "/k: comes over the network: expected a digest (fsverity or sha256), Secure Boot on, or \"network "
		     "trust\" in "
		     "x.conf, found none");
	expect_error(network_policy_check(&plan, true), KEXEC_DENIED,
		     "/a: comes over the network: expected a digest (fsverity or sha256), or \"network trust\" in "
		     "x.conf, found "
		     "neither");
	boot_plan_free(&plan);
}

static void kernel_by_the_platform_and_initrds_by_digests(void **state)
{
	(void)state;
	make(FILES "sha256 " DIGEST " /a\nfsverity " DIGEST " /b\n", ENTRY_OUTSIDE);
	expect_ok(network_policy_check(&plan, true));
	expect_error(network_policy_check(&plan, false), KEXEC_DENIED, "/k: comes over the network");
	boot_plan_free(&plan);
	make(FILES "sha256 " DIGEST " /a\nsha256 " DIGEST " /k\n", ENTRY_OUTSIDE);
	expect_error(network_policy_check(&plan, false), KEXEC_DENIED, "/b: comes over the network");
	boot_plan_free(&plan);
	make("linux /k\nsha256 " DIGEST " /k\n", ENTRY_OUTSIDE);
	expect_ok(network_policy_check(&plan, false));
	boot_plan_free(&plan);
}

static void entry_that_trusts_the_network(void **state)
{
	(void)state;
	make(FILES "network trust\n", ENTRY_OUTSIDE);
	expect_ok(network_policy_check(&plan, false));
	boot_plan_free(&plan);
}

static void what_does_not_come_over_the_network(void **state)
{
	(void)state;
	expect_ok(entry_to_plan("x.conf", TEXT(FILES), ENTRY_OUTSIDE, &plan));
	assert_false(network_policy_applies(&plan));
	expect_ok(network_policy_check(&plan, false));
	boot_plan_free(&plan);
	/* Sections of our image do not count as coming from the network, even if the image does. */
	make(FILES, ENTRY_OF_SECTIONS);
	assert_false(network_policy_applies(&plan));
	expect_ok(network_policy_check(&plan, false));
	boot_plan_free(&plan);
}

static void sealed_entry(void **state)
{
	(void)state;
	make("linux /k\nsha256 " DIGEST " /k\n", ENTRY_SEALED);
	assert_true(network_policy_applies(&plan));
	assert_true(boot_part_is_sealed(&plan.kernel));
	expect_ok(network_policy_check(&plan, false));
	boot_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_vouches),
		cmocka_unit_test(kernel_by_the_platform_and_initrds_by_digests),
		cmocka_unit_test(entry_that_trusts_the_network),
		cmocka_unit_test(what_does_not_come_over_the_network),
		cmocka_unit_test(sealed_entry),
	};

	return run_named_tests(tests);
}
