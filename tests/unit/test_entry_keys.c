// SPDX-License-Identifier: BSD-2-Clause
/* Each key: the effect of a value, and the message about an invalid one. */
#include "boot/entry_keys.h"

#include "tests/unit/support.h"

static struct plan_builder builder;

static struct text text_of(const char *string)
{
	return (struct text){ .start = string, .length = strlen(string) };
}

/* Begins a plan that has room for this line. */
static void start(const char *key, const char *value)
{
	char line[256];

	strcat(strcat(strcpy(line, key), " "), value);
	plan_builder_give_up(&builder);
	expect_ok(plan_builder_start(&builder, "x", text_of(line)));
}

static const char *read(const char *key, const char *value)
{
	const struct entry_key *found = entry_key_find(text_of(key));

	assert_non_null(found);
	start(key, value);
	return found->read(&builder, text_of(value));
}

static void accept(const char *key, const char *value)
{
	assert_null(read(key, value));
}

static void refuse(const char *key, const char *value, const char *expected)
{
	const char *found = read(key, value);

	assert_non_null(found);
	assert_string_equal(found, expected);
}

static void every_key_is_found_by_its_whole_name(void **state)
{
	static const char *const names[] = {
		"linux",   "uki",	   "profile",	"initrd",  "options",	       "fsverity",
		"sha256",  "volume",	   "signature", "measure", "pcrsig",	       "pcrpkey",
		"network", "on-mismatch",  "fallback",	"dma",	   "memory-overwrite", "forensics",
		"verbose", "architecture", "title",	"version", "machine-id",       "sort-key"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char longer[32];
		struct text name = text_of(names[i]);

		assert_non_null(entry_key_find(name));
		assert_true(text_equal(entry_key_find(name)->name, name));
		assert_ptr_equal(entry_key_at(i), entry_key_find(name));
		name.length--;
		assert_null(entry_key_find(name));
		strcat(strcpy(longer, names[i]), "s");
		assert_null(entry_key_find(text_of(longer)));
		longer[0] = (char)(longer[0] - 'a' + 'A');
		longer[strlen(names[i])] = '\0';
		assert_null(entry_key_find(text_of(longer)));
	}
	assert_null(entry_key_find(TEXT("")));
	assert_null(entry_key_at(sizeof(names) / sizeof(names[0])));
}

static void switches(void **state)
{
	(void)state;
	accept("network", "trust");
	assert_true(builder.plan.network_trusted);
	refuse("network", "yes", "trust");
	accept("dma", "off");
	assert_true(builder.plan.dma_off);
	accept("dma", "on");
	assert_false(builder.plan.dma_off);
	refuse("dma", "", "on or off");
	accept("memory-overwrite", "off");
	assert_true(builder.plan.overwrite_off);
	refuse("memory-overwrite", "Off", "on or off");
	accept("verbose", "yes");
	assert_true(builder.plan.verbose);
	refuse("verbose", "on", "yes or no");
	accept("on-mismatch", "reset");
	assert_int_equal(builder.plan.on_mismatch, ON_MISMATCH_RESET);
	refuse("on-mismatch", "reboot", "halt or reset");
	accept("fallback", "/EFI/kexec/old.conf");
	assert_string_equal(builder.plan.fallback, "/EFI/kexec/old.conf");
	refuse("fallback", "", "a path");
	refuse("fallback", "/a.conf /b.conf", "one path a line");
	accept("signature", "require");
	assert_true(builder.plan.require_signature);
	refuse("signature", "", "require");
	accept("measure", "require");
	assert_true(builder.plan.require_measurement);
	assert_false(builder.plan.measured_as_image);
	accept("measure", "uki");
	assert_false(builder.plan.require_measurement);
	assert_true(builder.plan.measured_as_image);
	refuse("measure", "", "require or uki");
	refuse("measure", "on", "require or uki");
	accept("architecture", "X64");
	refuse("architecture", "x86_64", "x64");
}

static void paths(void **state)
{
	(void)state;
	accept("linux", "/a b");
	assert_string_equal(builder.plan.kernel.name, "/a b");
	refuse("linux", "", "a path");
	accept("initrd", "/i");
	assert_int_equal(builder.plan.initrd_count, 1);
	assert_string_equal(builder.plan.initrds[0].name, "/i");
	refuse("initrd", "", "a path");
	accept("pcrsig", "/s");
	assert_string_equal(builder.plan.pcr_signature.name, "/s");
	accept("pcrpkey", "/k");
	assert_string_equal(builder.plan.pcr_key.name, "/k");
	refuse("pcrsig", "", "a path");
	refuse("pcrpkey", "/a $b", "one path a line; $variables are GRUB's");
	refuse("linux", "(hd0,gpt2)/k", "a path from the volume's root on; (devices) are GRUB's");
	refuse("initrd", "/i $tuned_initrd", "one path a line; $variables are GRUB's");
	assert_int_equal(builder.plan.initrd_count, 0);
}

#define UUID "c0ffee00-1234-5678-9abc-def012345678"

static void volumes(void **state)
{
	const struct entry_key *key = entry_key_find(TEXT("volume"));

	(void)state;
	accept("volume", "esp");
	assert_string_equal(builder.plan.volume, "esp");
	refuse("volume", "", "esp, xbootldr or a PARTUUID");
	refuse("volume", "/boot", "esp, xbootldr or a PARTUUID");
	assert_string_equal(builder.plan.volume, "");
	accept("volume", "PARTUUID=C0FFEE00-1234-5678-9ABC-DEF012345678");
	assert_string_equal(builder.plan.volume, UUID);
	assert_null(key->read(&builder, TEXT(UUID)));
	assert_string_equal(key->read(&builder, TEXT("esp")), "one volume for all paths");
	assert_string_equal(builder.plan.volume, UUID);
}

#define HEX_62 "00000000000000000000000000000000000000000000000000000000000000"

static void accept_digest(const char *key, const char *value, const char *path)
{
	accept(key, value);
	assert_int_equal(builder.digest_count, 1);
	assert_int_equal(builder.digests[0].is_fsverity, strcmp(key, "fsverity") == 0);
	assert_int_equal(builder.digests[0].digest[31], 0x1f);
	assert_int_equal(builder.digests[0].digest[30], 0);
	assert_true(text_equal(builder.digests[0].path, text_of(path)));
}

static void refuse_digest(const char *key, const char *value, const char *expected)
{
	refuse(key, value, expected);
	assert_int_equal(builder.digest_count, 0);
}

/* A unified image is a kernel under either key. */
static void unified_images(void **state)
{
	(void)state;
	accept("uki", "/x.efi");
	assert_string_equal(builder.plan.kernel.name, "/x.efi");
	refuse("uki", "", "a path");
	assert_false(builder.plan.has_profile);
	accept("profile", "0");
	assert_true(builder.plan.has_profile);
	accept("profile", "0123");
	assert_int_equal(builder.plan.profile, 123);
	refuse("profile", "", "a number of at most 4 digits");
	refuse("profile", "@1", "a number of at most 4 digits");
	refuse("profile", "-1", "a number of at most 4 digits");
	refuse("profile", "1 ", "a number of at most 4 digits");
	refuse("profile", "00000", "a number of at most 4 digits");
	accept("profile", "1");
	assert_string_equal(entry_key_find(text_of("profile"))->read(&builder, text_of("1")), "one profile");
	accept("linux", "/k");
	assert_string_equal(entry_key_find(text_of("uki"))->read(&builder, text_of("/x")), "one kernel only");
}

/* As sha256sum and fsverity print them, with the additions that each of them has. */
static void digests(void **state)
{
	static const char sha256[] = "64 hexadecimal digits and a path";
	static const char fsverity[] = "64 hexadecimal digits, of SHA-256, and a path";

	(void)state;
	accept_digest("sha256", HEX_62 "1f  /k", "/k");
	accept_digest("sha256", HEX_62 "1f */k", "/k");
	refuse_digest("sha256", HEX_62 "1g /k", sha256);
	refuse_digest("sha256", HEX_62 "1f", sha256);
	refuse_digest("sha256", "sha256:" HEX_62 "1f /k", sha256);

	accept_digest("fsverity", HEX_62 "1f /k", "/k");
	accept_digest("fsverity", "sha256:" HEX_62 "1f /k", "/k");
	accept_digest("fsverity", HEX_62 "1f *k", "*k");
	refuse_digest("fsverity", HEX_62 "1g /k", fsverity);
	refuse_digest("fsverity", HEX_62 "1f", fsverity);
	refuse_digest("fsverity", "sha256:" HEX_62 "1f", fsverity);
	refuse_digest("fsverity", "sha256:", fsverity);
	refuse_digest("fsverity", "sha256: " HEX_62 "1f /k", fsverity);
	refuse_digest("fsverity", "sha256:sha256:" HEX_62 "1f /k", fsverity);
	refuse_digest("fsverity", "SHA256:" HEX_62 "1f /k", fsverity);
	refuse_digest("fsverity", "sha512:" HEX_62 "1f /k", fsverity);
	refuse_digest("fsverity", "sha512:" HEX_62 "1f" HEX_62 "1f /k", fsverity);
	refuse_digest("fsverity", HEX_62 "1f" HEX_62 "1f /k", fsverity);
}

static void keys_for_menus_take_anything(void **state)
{
	static const char *const names[] = { "title", "version", "machine-id", "sort-key" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		accept(names[i], "");
		accept(names[i], "a\xff b");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_found_by_its_whole_name),
		cmocka_unit_test(switches),
		cmocka_unit_test(paths),
		cmocka_unit_test(volumes),
		cmocka_unit_test(unified_images),
		cmocka_unit_test(digests),
		cmocka_unit_test(keys_for_menus_take_anything),
	};

	return run_named_tests(tests);
}
