// SPDX-License-Identifier: BSD-2-Clause
/* Command lines, and their words that are not for Linux. */
#include "boot/command_line.h"

#include "tests/unit/support.h"

static struct plan_builder builder;
static char text[4096];

/* Begins a plan of two lines: one initrd, and the command line. */
static void start(const char *initrd, const char *command_line)
{
	plan_builder_give_up(&builder);
	strcat(strcat(strcat(strcpy(text, "initrd "), initrd), "\noptions "), command_line);
	expect_ok(plan_builder_start(&builder, "a.conf", text_of_string(text)));
	if (*initrd)
		plan_builder_add_initrd(&builder, text_of_string(initrd));
	plan_builder_add_options(&builder, text_of_string(command_line));
}

/* Asserts the initrds loaded in addition to /first, each followed by a semicolon. There must be no message. */
static void expect_initrds(const char *command_line, const char *expected)
{
	char found[256] = "";

	start("/first", command_line);
	expect_ok(command_line_carry_out(&builder, false));
	assert_string_equal(logged(), "");
	assert_string_equal(builder.plan.initrds[0].name, "/first");
	for (size_t i = 1; i < builder.plan.initrd_count; i++)
		strcat(strcat(found, builder.plan.initrds[i].name), ";");
	assert_string_equal(found, expected);
	assert_string_equal(builder.plan.command_line.start, command_line);
}

static void initrds_are_loaded_in_order(void **state)
{
	(void)state;
	expect_initrds("console=ttyS0 initrd=\\initrd", "\\initrd;");
	expect_initrds("initrd=/a quiet initrd=b\tinitrd=\\c\\d", "/a;b;\\c\\d;");
	expect_initrds("initrd=/a,b", "/a,b;");
	/* Only in the form that the kernel's stub recognises. */
	expect_initrds("quiet -- single initrd=/a", "/a;");
	expect_initrds("\"a b\" initrd=\"/my files/a\" ro", "/my files/a;");
	expect_initrds("\"initrd=/my files/a\" ro", "/my files/a;");
	expect_initrds("initrd=\"/a", "/a;");
	expect_initrds("initrd=/a\xc3\xa0", "/a\xc3\xa0;");
}

static void words_that_name_no_initrd(void **state)
{
	(void)state;
	expect_initrds("", "");
	expect_initrds("  ", "");
	expect_initrds("rd.initrd=/a noinitrd=/b initrd initrdmem=0x1000000,4096", "");
	expect_initrds("a=\"b initrd=/c\"", "");
}

/* rEFInd appends an initrd that the entry may name already. */
static void initrd_that_is_loaded_already(void **state)
{
	(void)state;
	expect_initrds("initrd=\\first", "");
	expect_initrds("initrd=//first initrd=first initrd=/second initrd=./second", "/second;");
	expect_initrds("initrd=/First", "/First;");
}

static void refuse(const char *command_line, bool is_sealed, enum kexec_status status, const char *line)
{
	start("", command_line);
	expect_error(command_line_carry_out(&builder, is_sealed), status, line);
}

static void initrds_that_are_refused(void **state)
{
	(void)state;
	refuse("initrd=", false, KEXEC_BAD_FORMAT, "a.conf: options: initrd=: expected a path, found \"\"\n");
	refuse("initrd=\"\" quiet", false, KEXEC_BAD_FORMAT, "expected a path, found \"\"");
	refuse("initrd=(hd0,gpt1)/a", false, KEXEC_BAD_FORMAT,
	       "a.conf: options: initrd=: expected a path from the volume's root on; (devices) are GRUB's, found "
	       "\"(hd0,gpt1)/a\"");
	refuse("quiet initrd=\\initrd", true, KEXEC_DENIED,
	       "a.conf: options: expected sealed initrds only, found \"initrd=\\initrd\", which the kernel's EFI stub "
	       "would "
	       "read\n");
}

static void expect_warning(const char *command_line, const char *line)
{
	start("/first", command_line);
	expect_ok(command_line_carry_out(&builder, false));
	assert_string_equal(logged(), line);
	assert_string_equal(builder.plan.command_line.start, command_line);
	log_clear();
}

static void variables_of_others(void **state)
{
	(void)state;
	expect_warning("root=/dev/x $tuned_params", "warning: a.conf: options: expected words for Linux, found "
						    "\"$tuned_params\": variables are GRUB's, and "
						    "stay as they are\n");
	expect_warning(
		"root=UUID=x root=$root ${b}=c",
		"warning: a.conf: options: expected words for Linux, found \"root=$root\": variables are GRUB's, and "
		"stay as they are\n"
		"warning: a.conf: options: expected words for Linux, found \"${b}=c\": variables are GRUB's, and stay "
		"as they are\n");
	expect_warning("a$b pass=$6$salt$hash cost=$", "");
}

static void words_that_linux_takes_otherwise(void **state)
{
	(void)state;
	expect_warning("quiet # ro",
		       "warning: a.conf: options: expected words for Linux, found \"#\": it begins no comment here: "
		       "Linux gets all words behind it\n");
	expect_warning("root=/dev/x\xc2\xa0ro",
		       "warning: a.conf: options: expected words for Linux, found \"root=/dev/x\xc2\": Linux takes half "
		       "of the no-break space behind it for a part of the word\n");
	expect_warning("\"root=/dev/x ro\"",
		       "warning: a.conf: options: expected words for Linux, found quotes around all of them, which "
		       "Linux gets as well: \"root=/dev/x ro\"\n");
}

static void nothing_but_variables(void **state)
{
	(void)state;
	refuse("$kernelopts $tuned_params", false, KEXEC_BAD_FORMAT,
	       "a.conf: options: expected words for Linux, found nothing but variables, which are GRUB's: "
	       "\"$kernelopts "
	       "$tuned_params\"\n");
	refuse("$kernelopts", true, KEXEC_BAD_FORMAT, "found nothing but variables");
	refuse("$kernelopts initrd=/a", false, KEXEC_BAD_FORMAT, "found nothing but variables");
}

static void what_only_the_stub_does(void **state)
{
	(void)state;
	expect_warning(
		"video=efifb:1024x768",
		"warning: a.conf: options: video=efifb:1024x768: expected a mode that the firmware sets: this loader "
		"sets none\n");
	expect_warning("video=efifb:mode=3 -- video=efifb:list",
		       "warning: a.conf: options: video=efifb:mode=3: expected a mode that the firmware sets: this "
		       "loader sets "
		       "none\n");
	expect_warning("video=efifb:off video=efifb video=1024x768", "");
	expect_warning("noinitrd",
		       "warning: a.conf: options: noinitrd: expected no initrd, found 1: they are loaded\n");
	start("", "noinitrd quiet nokaslr efi=debug,nochunk,novamap");
	expect_ok(command_line_carry_out(&builder, false));
	assert_string_equal(logged(), "");
}

static void dma_off_by_either_word(void **state)
{
	(void)state;
	start("", "efi=disable_early_pci_dma");
	expect_ok(command_line_carry_out(&builder, false));
	assert_true(builder.plan.dma_off);
	start("", "efi=disable_early_pci_dma");
	builder.plan.dma_is_said = true;
	expect_ok(command_line_carry_out(&builder, false));
	assert_false(builder.plan.dma_off);
	start("", "quiet");
	builder.plan.dma_is_said = true;
	builder.plan.dma_off = true;
	expect_ok(command_line_carry_out(&builder, false));
	assert_true(builder.plan.dma_off);
}

/* --- .cmdline of a unified image --- */

static const struct unified_image without_initrd;
static const struct unified_image with_initrd = { .sections = { [UNIFIED_INITRD] = { .size = 1 } } };

/* A plan of /first and other lines, whose kernel is a unified image. */
static struct boot_plan plan_of(const char *lines, enum part_source source, enum trust trust)
{
	const struct plan_trust nobody = { TRUST_PLATFORM, TRUST_NOBODY };
	struct boot_plan plan;

	expect_ok(plan_builder_start(&builder, "a.conf", text_of_string(lines)));
	builder.plan.kernel.name = plan_builder_name(&builder, TEXT("/x.efi"));
	plan_builder_add_initrd(&builder, TEXT("/first"));
	builder.source = source;
	plan_builder_finish(&builder, &nobody, &plan);
	plan.kernel.trust = trust;
	plan.kernel.fsverity.is_known = trust == TRUST_DIGEST;
	builder = (struct plan_builder){ 0 };
	return plan;
}

static enum kexec_status carry_out(struct boot_plan *plan, const struct unified_image *image, const char *line,
				   bool is_signed)
{
	/* In memory of exactly the line's size, so that a sanitizer detects reads behind it. */
	char *copy = malloc(strlen(line) + 1);
	struct embedded_line embedded = { .is_signed = is_signed };
	enum kexec_status status;

	memcpy(copy, line, strlen(line));
	embedded.text = embedded.whole = (struct text){ .start = copy, .length = strlen(line) };
	log_clear();
	status = command_line_carry_out_embedded(plan, image, &embedded);
	free(copy);
	return status;
}

#define LINES "linux /x.efi\ninitrd /first"

static void initrds_of_an_image_follow(void **state)
{
	static const char *const expected[] = { "/first", "\\a", "b/c", "d" };
	struct boot_plan plan = plan_of(LINES, PART_ON_VOLUME, TRUST_PLATFORM);

	(void)state;
	expect_ok(carry_out(&plan, &without_initrd, "initrd=\\a initrd=first initrd=\"b/c\" quiet initrd=d", false));
	assert_string_equal(logged(), "");
	assert_int_equal(plan.initrd_count, 4);
	for (size_t i = 0; i < plan.initrd_count; i++) {
		assert_string_equal(plan.initrds[i].name, expected[i]);
		assert_int_equal(plan.initrds[i].source, PART_ON_VOLUME);
		assert_int_equal(plan.initrds[i].trust, TRUST_NOBODY);
	}
	boot_plan_free(&plan);
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void initrds_of_an_image_that_has_one(void **state)
{
	struct boot_plan plan = plan_of(LINES, PART_ON_VOLUME, TRUST_PLATFORM);

	(void)state;
	expect_ok(carry_out(&plan, &with_initrd, "initrd=\\a initrd=(hd0)/b", true));
	assert_string_equal(logged(), "warning: /x.efi: .cmdline: expected no initrd= beside .initrd, found "
				      "\"initrd=\\a\": it is not loaded\n"
				      "warning: /x.efi: .cmdline: expected no initrd= beside .initrd, found "
				      "\"initrd=(hd0)/b\": it is not loaded\n");
	assert_int_equal(plan.initrd_count, 1);
	boot_plan_free(&plan);
}

static void refuse_embedded(enum part_source source, enum trust trust, bool is_signed, const char *line,
			    enum kexec_status status, const char *message)
{
	struct boot_plan plan = plan_of(LINES, source, trust);

	expect_error(carry_out(&plan, &without_initrd, line, is_signed), status, message);
	boot_plan_free(&plan);
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void initrds_of_an_image_that_are_refused(void **state)
{
	struct boot_plan plan;

	(void)state;
	refuse_embedded(PART_ON_VOLUME, TRUST_PLATFORM, true, "initrd=/a", KEXEC_DENIED,
			"/x.efi: .cmdline: expected signed initrds only, found \"initrd=/a\", which the kernel's EFI "
			"stub would read\n");
	refuse_embedded(PART_ON_VOLUME, TRUST_DIGEST, false, "initrd=/a", KEXEC_DENIED,
			"/x.efi: .cmdline: expected sealed initrds only, found \"initrd=/a\"");
	refuse_embedded(PART_ON_VOLUME, TRUST_PLATFORM, false, "initrd=/a initrd=", KEXEC_BAD_FORMAT,
			"/x.efi: .cmdline: initrd=: expected a path, found \"\"\n");
	refuse_embedded(PART_ON_VOLUME, TRUST_PLATFORM, false, "$kernelopts", KEXEC_BAD_FORMAT,
			"/x.efi: .cmdline: expected words for Linux, found nothing but variables");
	/* The entry's own option is accepted. */
	plan = plan_of(LINES, PART_ON_NETWORK, TRUST_PLATFORM);
	plan.initrds[0].sha256.is_known = true;
	expect_error(carry_out(&plan, &without_initrd, "initrd=/a", false), KEXEC_DENIED,
		     "/a: comes over the network: expected a digest");
	boot_plan_free(&plan);
	plan = plan_of(LINES, PART_ON_NETWORK, TRUST_PLATFORM);
	plan.network_trusted = true;
	expect_ok(carry_out(&plan, &without_initrd, "initrd=/a", false));
	assert_int_equal(plan.initrds[1].source, PART_ON_NETWORK);
	boot_plan_free(&plan);
	plan = plan_of(LINES, PART_ON_VOLUME, TRUST_PLATFORM);
	fake_pool_fail_at(1);
	expect_error(carry_out(&plan, &without_initrd, "initrd=/a", false), KEXEC_NO_MEMORY, "a.conf");
	boot_plan_free(&plan);
}

static void what_an_image_asks_of_the_stub(void **state)
{
	struct boot_plan plan = plan_of(LINES, PART_ON_VOLUME, TRUST_PLATFORM);

	(void)state;
	expect_ok(carry_out(&plan, &with_initrd, "efi=disable_early_pci_dma noinitrd video=efifb:list a=$b", true));
	assert_true(plan.dma_off);
	assert_string_equal(
		logged(),
		"warning: /x.efi: .cmdline: expected words for Linux, found \"a=$b\": variables are GRUB's, and stay "
		"as "
		"they are\n"
		"warning: /x.efi: .cmdline: noinitrd: expected no initrd, found 2: they are loaded\n"
		"warning: /x.efi: .cmdline: video=efifb:list: expected a mode that the firmware sets: this loader sets "
		"none\n");
	plan.dma_off = false;
	plan.dma_is_said = true;
	expect_ok(carry_out(&plan, &with_initrd, "efi=disable_early_pci_dma", true));
	assert_false(plan.dma_off);
	boot_plan_free(&plan);
}

/* The options of the entry, which come first, have been carried out. */
static void what_addons_ask_of_the_stub(void **state)
{
	struct boot_plan plan = plan_of(LINES, PART_ON_VOLUME, TRUST_PLATFORM);
	struct text whole = TEXT("initrd=/entry video=efifb:list initrd=/a efi=disable_early_pci_dma $b");
	struct text added = whole;

	(void)state;
	text_drop(&added, strlen("initrd=/entry video=efifb:list"));
	command_line_carry_out_added(&plan, whole, added);
	assert_string_equal(logged(), "warning: /x.efi: options from outside: expected no initrd=, found "
				      "\"initrd=/a\": it is not loaded\n"
				      "warning: /x.efi: options from outside: expected words for Linux, found \"$b\": "
				      "variables are GRUB's, and stay as they are\n");
	assert_true(plan.dma_off);
	assert_int_equal(plan.initrd_count, 1);
	plan.dma_is_said = true;
	command_line_carry_out_added(&plan, TEXT("efi=no_disable_early_pci_dma"), TEXT(""));
	assert_true(plan.dma_off);
	boot_plan_free(&plan);
}

/* Each word adds as much as a word can, so a sanitizer detects a list that is too short. */
static void fullest_command_lines(void **state)
{
	struct boot_plan plan;

	(void)state;
	strcpy(text, "options");
	for (unsigned i = 0; i < 26; i++)
		strcat(strcat(text, " initrd="), (char[]){ (char)('a' + i), '\0' });
	plan_builder_give_up(&builder);
	expect_ok(plan_builder_start(&builder, "a.conf", text_of_string(text)));
	plan_builder_add_options(&builder, text_of_string(text + strlen("options ")));
	expect_ok(command_line_carry_out(&builder, false));
	assert_int_equal(builder.plan.initrd_count, 26);
	plan_builder_give_up(&builder);
	plan = plan_of(LINES, PART_ON_VOLUME, TRUST_PLATFORM);
	expect_ok(carry_out(&plan, &without_initrd, text + strlen("options "), false));
	assert_int_equal(plan.initrd_count, 27);
	assert_string_equal(plan.initrds[26].name, "z");
	boot_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_that_linux_takes_otherwise),
		cmocka_unit_test(initrds_are_loaded_in_order),
		cmocka_unit_test(words_that_name_no_initrd),
		cmocka_unit_test(initrd_that_is_loaded_already),
		cmocka_unit_test(initrds_that_are_refused),
		cmocka_unit_test(variables_of_others),
		cmocka_unit_test(nothing_but_variables),
		cmocka_unit_test(what_only_the_stub_does),
		cmocka_unit_test(dma_off_by_either_word),
		cmocka_unit_test(initrds_of_an_image_follow),
		cmocka_unit_test(initrds_of_an_image_that_has_one),
		cmocka_unit_test(what_an_image_asks_of_the_stub),
		cmocka_unit_test(what_addons_ask_of_the_stub),
		cmocka_unit_test(initrds_of_an_image_that_are_refused),
		cmocka_unit_test(fullest_command_lines),
	};

	return run_named_tests(tests);
}
