// SPDX-License-Identifier: BSD-2-Clause
/* Building plans, and freeing them. */
#include "boot/plan.h"

#include "boot/log.h"
#include "boot/plan_builder.h"
#include "tests/unit/support.h"

static const struct plan_trust trust = { .kernel = TRUST_PLATFORM, .others = TRUST_NOBODY };

static void start(struct plan_builder *builder, const char *text)
{
	expect_ok(plan_builder_start(builder, "said by", (struct text){ .start = text, .length = strlen(text) }));
}

static void lists_begin_empty(void **state)
{
	struct plan_builder builder;

	(void)state;
	start(&builder, "a\nb\n");
	assert_string_equal(builder.plan.said_by, "said by");
	assert_int_equal(builder.plan.text.length, 4);
	assert_memory_equal(builder.plan.text.start, "a\nb\n", 4);
	assert_int_equal(builder.plan.initrd_count, 0);
	assert_int_equal(builder.plan.unknown_key_count, 0);
	assert_int_equal(builder.digest_count, 0);
	assert_string_equal(builder.plan.command_line.start, "");
	assert_int_equal(builder.plan.command_line.length, 0);
	plan_builder_give_up(&builder);
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void empty_text(void **state)
{
	struct plan_builder builder;

	(void)state;
	expect_ok(plan_builder_start(&builder, "", (struct text){ 0 }));
	assert_string_equal(builder.plan.said_by, "");
	assert_int_equal(builder.plan.text.length, 0);
	plan_builder_give_up(&builder);
}

static void options_are_joined_by_one_space(void **state)
{
	struct plan_builder builder;

	(void)state;
	start(&builder, "options a  b\noptions\noptions c\n");
	plan_builder_add_options(&builder, TEXT(""));
	plan_builder_add_options(&builder, TEXT("a  b"));
	plan_builder_add_options(&builder, TEXT(""));
	plan_builder_add_options(&builder, TEXT("c"));
	assert_string_equal(builder.plan.command_line.start, "a  b c");
	assert_int_equal(builder.plan.command_line.length, 6);
	plan_builder_give_up(&builder);
}

static void finished_plan_has_one_source_and_the_trust_given(void **state)
{
	struct plan_builder builder;
	struct boot_plan plan;

	(void)state;
	start(&builder, "linux k\ninitrd a\ninitrd b\n");
	builder.plan.kernel.name = plan_builder_name(&builder, TEXT("k"));
	plan_builder_add_initrd(&builder, TEXT("a"));
	plan_builder_add_initrd(&builder, TEXT("b"));
	builder.source = PART_IN_IMAGE;
	plan_builder_finish(&builder, &trust, &plan);
	assert_string_equal(plan.kernel.name, "k");
	assert_int_equal(plan.kernel.source, PART_IN_IMAGE);
	assert_int_equal(plan.kernel.trust, TRUST_PLATFORM);
	assert_int_equal(plan.initrd_count, 2);
	for (size_t i = 0; i < plan.initrd_count; i++) {
		assert_string_equal(plan.initrds[i].name, i ? "b" : "a");
		assert_int_equal(plan.initrds[i].source, PART_IN_IMAGE);
		assert_int_equal(plan.initrds[i].trust, TRUST_NOBODY);
		assert_false(boot_part_has_digest(&plan.initrds[i]));
	}
	boot_plan_free(&plan);
	assert_int_equal(fake_pool_outstanding(), 0);
	boot_plan_free(&plan);
}

/* For any other part, including a zeroed one, the platform must be asked. */
static void only_our_own_image_seals_a_part(void **state)
{
	struct boot_part part = { 0 };

	(void)state;
	for (part.trust = TRUST_NOBODY; part.trust <= TRUST_IMAGE; part.trust++) {
		for (unsigned known = 0; known < 4; known++) {
			part.fsverity.is_known = known & 1;
			part.sha256.is_known = known & 2;
			assert_int_equal(boot_part_has_digest(&part), known != 0);
			assert_int_equal(boot_part_is_sealed(&part),
					 part.trust == TRUST_IMAGE || (part.trust == TRUST_DIGEST && known));
		}
	}
	part.sha256.is_known = true;
	part.trust = (enum trust)99;
	assert_false(boot_part_is_sealed(&part));
}

static void unknown_keys_are_logged_for_verbose_only(void **state)
{
	struct text keys[] = { TEXT("grub_users"), TEXT("id") };
	struct boot_plan plan = { .said_by = "a.conf", .unknown_keys = keys, .unknown_key_count = 2 };

	(void)state;
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "a.conf: unknown key grub_users skipped\na.conf: unknown key id skipped\n");
	log_clear();
	log_set_verbose(false);
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "");
}

static void skipped_load_options_are_logged_with_them(void **state)
{
	struct boot_plan plan = { .said_by = "a.conf", .skipped_options = "binary data" };

	(void)state;
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "load options skipped: expected text, found binary data\n");
}

/* A text with as many initrds as possible, so that a sanitizer detects one too many. */
static void one_more_initrd_than_the_text_names(void **state)
{
	static const struct boot_part first = { .name = "first", .source = PART_FROM_LOADER };
	struct plan_builder builder;
	struct boot_plan plan;

	(void)state;
	start(&builder, "initrd x\ninitrd y");
	plan_builder_add_initrd(&builder, TEXT("x"));
	plan_builder_add_initrd(&builder, TEXT("y"));
	plan_builder_finish(&builder, &trust, &plan);
	boot_plan_put_first(&plan, &first);
	assert_int_equal(plan.initrd_count, 3);
	assert_string_equal(plan.initrds[0].name, "first");
	assert_int_equal(plan.initrds[0].source, PART_FROM_LOADER);
	assert_string_equal(plan.initrds[1].name, "x");
	assert_string_equal(plan.initrds[2].name, "y");
	boot_plan_free(&plan);
	start(&builder, "linux k");
	plan_builder_finish(&builder, &trust, &plan);
	boot_plan_put_first(&plan, &first);
	assert_int_equal(plan.initrd_count, 1);
	boot_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_begin_empty),
		cmocka_unit_test(empty_text),
		cmocka_unit_test(options_are_joined_by_one_space),
		cmocka_unit_test(finished_plan_has_one_source_and_the_trust_given),
		cmocka_unit_test(only_our_own_image_seals_a_part),
		cmocka_unit_test(unknown_keys_are_logged_for_verbose_only),
		cmocka_unit_test(skipped_load_options_are_logged_with_them),
		cmocka_unit_test(one_more_initrd_than_the_text_names),
	};

	return run_named_tests(tests);
}
