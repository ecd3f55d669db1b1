// SPDX-License-Identifier: BSD-2-Clause
/* Unknown keys: misspelled ones, and ones that must not be skipped without a message. */
#include "boot/key_habit.h"

#include "tests/unit/support.h"

static char *copy;

/* A copy in memory of exactly its size. The next call frees it. */
static struct text copy_of(const char *name)
{
	size_t length = strlen(name);

	free(copy);
	copy = malloc(length ? length : 1);
	memcpy(copy, name, length);
	return (struct text){ .start = copy, .length = length };
}

static void expect_meant(const char *name, const char *key, bool is_joined)
{
	struct meant_key meant = key_habit_meant(copy_of(name));

	if (!meant.key || !text_equal(meant.key->name, text_of_string(key))) {
		print_error("%s: expected %s, found %.*s\n", name, key, meant.key ? (int)meant.key->name.length : 4,
			    meant.key ? meant.key->name.start : "none");
		fail();
	}
	assert_int_equal(meant.is_joined, is_joined);
}

static void expect_none(const char *name)
{
	struct meant_key meant = key_habit_meant(copy_of(name));

	if (!meant.key)
		return;
	print_error("%s: expected none, found %s\n", name, meant.key->name.start);
	fail();
}

static void every_key_in_each_way(void **state)
{
	const struct entry_key *key;

	(void)state;
	for (size_t i = 0; (key = entry_key_at(i)) != NULL; i++) {
		const char *name = key->name.start;
		char other[64];

		for (size_t at = 0; at <= key->name.length; at++)
			other[at] = name[at] >= 'a' && name[at] <= 'z' ? (char)(name[at] - 'a' + 'A') : name[at];
		expect_meant(other, name, false);
		expect_meant(strcat(strcpy(other, name), "s"), name, false);
		expect_meant(strcat(strcpy(other, name), ":"), name, true);
		expect_meant(strcat(strcpy(other, name), "=x"), name, true);
		expect_meant(strcat(strcpy(other, name), "\xc2\xa0/x"), name, true);
		expect_meant(strcat(strcpy(other, name), "\xa0"), name, true);
		expect_meant(strcat(strcpy(other, "\xe2\x80\x8b"), name), name, true);
		expect_meant(strcat(strcpy(other, "\xc2\xa0"), name), name, true);
		other[0] = name[0];
		expect_meant(strcat(strcpy(other + 1, "-_"), name + 1) - 1, name, false);
	}
}

static void as_people_write_them(void **state)
{
	(void)state;
	expect_meant("Initrd", "initrd", false);
	expect_meant("initrd=/initrd", "initrd", true);
	expect_meant("linux:/x", "linux", true);
	expect_meant("sha-256", "sha256", false);
	expect_meant("SHA_256:", "sha256", true);
	expect_meant("fs-verity", "fsverity", false);
	expect_meant("option", "options", false);
	expect_meant("OPTION=quiet", "options", true);
	expect_meant("onmismatch", "on-mismatch", false);
	expect_meant("on_mis-match", "on-mismatch", false);
	expect_meant("memory_overwrite", "memory-overwrite", false);
	expect_meant("Signatures", "signature", false);
	expect_meant("linux\v/vmlinuz", "linux", true);
	/* One wrong letter. */
	expect_meant("intrd", "initrd", false);
	expect_meant("inittd", "initrd", false);
	expect_meant("initrd2", "initrd", false);
	expect_meant("inirtd", "initrd", false);
	expect_meant("lniux", "linux", false);
	expect_meant("optoins", "options", false);
	expect_meant("measured", "measure", false);
	expect_meant("fsverify", "fsverity", false);
	expect_meant("sha265", "sha256", false);
}

/* Linux would start without its initrd. */
static void initrds_of_other_loaders(void **state)
{
	(void)state;
	expect_meant("initrdefi", "initrd", false);
	expect_meant("initrd16", "initrd", false);
	expect_meant("initramfs", "initrd", false);
	expect_meant("MODULE_PATH=boot():/initrd", "initrd", true);
	expect_meant("module_path:", "initrd", true);
	expect_meant("module2", "initrd", false);
	expect_meant("ramdisk", "initrd", false);
	expect_meant("init", "initrd", false);
	expect_meant("initial-ramdisk", "initrd", false);
	expect_meant("INITRAMF", "initrd", false);
	expect_meant("initramfs=/x", "initrd", true);
	expect_none("modules");
	expect_none("module-3");
}

/* Keys of other loaders that resemble ours, and meaningless keys. */
static void no_key_of_ours(void **state)
{
	static const char *const names[] = {
		"",	      "s",
		"-",	      "=",
		":linux",     "x",
		"lin",	      "linux16",
		"linuxefi",   "kernel",
		"append",     "dmar",
		"sha512",     "sha384",
		"sha224",     "sha1",
		"id",	      "grub_users",
		"grub_class", "grub_arg",
		"efi",	      "extra",
		"devicetree", "devicetree-overlay",
		"uki-url",    "tries",
		";linux",     "//initrd",
		"linux.old",  "loader",
		"image",      "root=/dev/sda1",
		"\xc2\xa0",   "a-name-that-is-longer-than-any-key",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_none(names[i]);
}

static void expect_lost(const char *name, const char *expected)
{
	const char *lost = key_habit_lost(copy_of(name));

	if (lost && strcmp(lost, expected) == 0)
		return;
	print_error("%s: expected %s, found %s\n", name, expected, lost ? lost : "nothing");
	fail();
}

static void instructions_to_other_loaders(void **state)
{
	static const char *const not_done[] = { "devicetree", "devicetree-overlay", "uki-url", "extra", "fdtdir" };

	(void)state;
	expect_lost("append", "expected options");
	expect_lost("APPEND", "expected options");
	expect_lost("append=\"ro\"", "expected options");
	expect_lost("kernel_cmdline:", "expected options");
	expect_lost("KERNEL", "expected linux");
	expect_lost("image=/vmlinuz", "expected linux");
	expect_lost("linuxefi", "expected linux");
	expect_lost("root=/dev/sda1", "expected options root=");
	expect_lost("path:", "expected linux");
	expect_lost("efi", "expected uki, for a unified image");
	expect_lost("set", "commands of GRUB are not carried out");
	expect_lost("console=ttyS0", "expected options in front of it");
	expect_lost("rw", "expected options in front of it");
	for (size_t i = 0; i < sizeof(not_done) / sizeof(not_done[0]); i++)
		expect_lost(not_done[i], "it has no effect");
}

static void what_looks_like_a_policy(void **state)
{
	static const char *const names[] = { "verify-signature",
					     "require-measure",
					     "secure-boot",
					     "sha512",
					     "SHA-384",
					     "sha256sum",
					     "digest",
					     "on-verify-fail",
					     "mismatch",
					     "disable-dma",
					     "iommu",
					     "memory_clear",
					     "fall-back-to",
					     "tpm2",
					     "kernel-hash",
					     "md5",
					     "checksum",
					     "b2sum",
					     "password" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_lost(names[i], "it has no effect");
}

static void keys_that_ask_for_nothing(void **state)
{
	static const char *const names[] = { "grub_users", "grub_arg", "grub_class", "id",   "tries",
					     "timeout",	   "default",  "label",	     "menu", "icon",
					     "comment",	   "foo",      "",	     "\xff", "grub_hotkey" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(key_habit_lost(copy_of(names[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initrds_of_other_loaders),	 cmocka_unit_test(every_key_in_each_way),
		cmocka_unit_test(as_people_write_them),		 cmocka_unit_test(no_key_of_ours),
		cmocka_unit_test(instructions_to_other_loaders), cmocka_unit_test(what_looks_like_a_policy),
		cmocka_unit_test(keys_that_ask_for_nothing),
	};

	return run_named_tests(tests);
}
