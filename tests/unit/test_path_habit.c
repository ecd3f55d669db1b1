// SPDX-License-Identifier: BSD-2-Clause
/* Paths with habits from other loaders, and the messages about them. */
#include "boot/path_habit.h"

#include "tests/unit/support.h"

/* Judges a path in memory of exactly its size. */
static const char *habit_of(const char *path, const char *(*judge)(struct text path))
{
	size_t length = strlen(path);
	char *copy = malloc(length ? length : 1);
	const char *habit;

	memcpy(copy, path, length);
	habit = judge((struct text){ .start = copy, .length = length });
	free(copy);
	return habit;
}

struct expected_habit {
	const char *path;
	const char *habit;
};

static void expect_all(const struct expected_habit *list, size_t count, const char *(*judge)(struct text path))
{
	for (size_t i = 0; i < count; i++) {
		const char *habit = habit_of(list[i].path, judge);

		if (habit && list[i].habit && strcmp(habit, list[i].habit) == 0)
			continue;
		print_error("%s: expected %s, found %s\n", list[i].path, list[i].habit, habit ? habit : "nothing");
		fail();
	}
}

#define EXPECT_ALL(list, judge) expect_all((list), sizeof(list) / sizeof((list)[0]), (judge))

#define ROOT "a path from the volume's root on"

static const struct expected_habit never[] = {
	{ "/initramfs-6.img $tuned_initrd", "one path a line; $variables are GRUB's" },
	{ "/a.img\t${b}", "one path a line; $variables are GRUB's" },
	{ "/a.img /b.img", "one path a line" },
	{ "/a.img \\b.img", "one path a line" },
	{ "a.img b.img /c.img", "one path a line" },
	/* A continued line, as in a shell. */
	{ "/a.img \\", "one path a line" },
	{ "(hd0,gpt2)/vmlinuz", ROOT "; (devices) are GRUB's" },
	{ "($root)/boot/vmlinuz", ROOT "; (devices) are GRUB's" },
	{ "PARTUUID=01234567-89ab-cdef-0123-456789abcdef/vmlinuz", ROOT "; a line volume names another volume" },
	{ "UUID=1234-ABCD:/vmlinuz", ROOT "; a line volume names another volume" },
	{ "LABEL=ESP", ROOT "; a line volume names another volume" },
	{ "file:///vmlinuz", ROOT ", without a device in front" },
	{ "C:\\vmlinuz", ROOT ", without a device in front" },
	{ "fs0:\\vmlinuz", ROOT ", without a device in front" },
	{ "boot():/vmlinuz", ROOT ", without a device in front" },
	{ "guid(01234567-89ab-cdef-0123-456789abcdef):/vmlinuz", ROOT ", without a device in front" },
	{ "\"/my files/vmlinuz\"", "a path without quotes" },
	{ "'/vmlinuz'", "a path without quotes" },
};

static void paths_that_no_volume_has(void **state)
{
	(void)state;
	EXPECT_ALL(never, path_habit);
	/* The message is the same if such a path is opened, for example by entry=. */
	EXPECT_ALL(never, path_habit_missing);
}

#define NOT_ASCII "there is a blank, quote or dash in it that is not ASCII"
#define DEVICE "paths begin at the volume's root, without a device in front"
#define SERVER "a server's files are for an image that came from that server"

static const struct expected_habit missing[] = {
	{ "/initrd.img # the second", "one path a line, without a comment behind it" },
	{ "/initrd.img\t#2", "one path a line, without a comment behind it" },
	{ "/vmlinuz root=/dev/x ro", "one path a line; words for Linux stand in a line options" },
	{ "vmlinuz quiet", "one path a line; words for Linux stand in a line options" },
	{ "/vmlinuz ro", "one path a line; words for Linux stand in a line options" },
	{ "/vmlinuz  initrd=/initrd", "one path a line; words for Linux stand in a line options" },
	{ "/vmlinuz rock", "one path a line" },
	{ "a b", "one path a line" },
	{ "/a,/b", "one path a line" },
	{ "$kernel", "$variables are GRUB's" },
	{ "/vmlinuz-${version}", "$variables are GRUB's" },
	{ "/vmlinuz\xc2\xa0", "there is a no-break space in it" },
	{ "/vmlinuz\xe2\x80\x8b", NOT_ASCII },
	{ "\xe2\x80\x9c/vmlinuz\xe2\x80\x9d", NOT_ASCII },
	{ "/vmlinuz\xe2\x80\x93"
	  "6.1",
	  NOT_ASCII },
	{ "\xef\xbb\xbf/vmlinuz", NOT_ASCII },
	{ "\xe3\x80\x80/vmlinuz", NOT_ASCII },
	{ "/vmlinuz#0123456789abcdef0123456789ABCDEF", "a digest stands in a line fsverity or sha256" },
	{ "FS0:vmlinuz", DEVICE },
	{ "C:EFI\\vmlinuz", DEVICE },
	{ "(hd0,1)vmlinuz", DEVICE },
	{ "hd0,gpt1/vmlinuz", DEVICE },
	{ "HD(1,GPT,01234567-89ab-cdef-0123-456789abcdef)/\\vmlinuz", DEVICE },
	{ "PciRoot(0x0)/Pci(0x1,0x0)/vmlinuz", DEVICE },
	{ "http://192.0.2.1/vmlinuz", SERVER },
	{ "https://example.org/vmlinuz", SERVER },
	{ "tftp://192.0.2.1/vmlinuz", SERVER },
	{ "\"/vmlinuz", "a path has no quotes" },
	{ "~/vmlinuz", "~, * and ? are a shell's" },
	{ "/vmlinuz-*", "~, * and ? are a shell's" },
	{ "/my%20files/vmlinuz", "% codes are a URL's" },
	{ "/boot/vmlinuz", "paths begin at the volume's root, without /boot" },
	{ "boot/efi/vmlinuz", "paths begin at the volume's root, without /boot" },
	{ "//efi/vmlinuz", "paths begin at the volume's root, without /boot" },
	{ "/mnt/vmlinuz", "paths begin at the volume's root, without /boot" },
};

static void paths_that_may_be_there(void **state)
{
	(void)state;
	EXPECT_ALL(missing, path_habit_missing);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		assert_null(habit_of(missing[i].path, path_habit));
}

static void names_without_a_habit(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/vmlinuz",
		"vmlinuz",
		"/EFI/Linux/a.efi",
		"\\EFI\\boot\\x",
		"(hd0)",
		"(a)b/c",
		"(a/b)/c",
		"/(hd0,gpt1)/x",
		"/a:b",
		"a:",
		":/x",
		"/x/C:\\y",
		"/UUID=1",
		"/a'b'",
		"'",
		"/bootx/vmlinuz",
		"/x/boot/",
		"/Boot/vmlinuz",
		"(",
		"()",
		"/it's",
		"/a,b",
		"a,b/c",
		"/a\xe2\x82\xac",
		"/a#b",
		"/vmlinuz#0123456789abcdef0123456789abcde",

		"0123456789abcdef0123456789abcdef",
		"/FS0:x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_null(habit_of(paths[i], path_habit));
		assert_null(habit_of(paths[i], path_habit_missing));
	}
}

/* Sources other than volumes may have such names. */
static void addresses_of_the_network(void **state)
{
	(void)state;
	assert_null(habit_of("http://192.0.2.1/vmlinuz", path_habit));
	assert_null(habit_of("tftp://192.0.2.1/vmlinuz", path_habit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_that_no_volume_has),
		cmocka_unit_test(paths_that_may_be_there),
		cmocka_unit_test(names_without_a_habit),
		cmocka_unit_test(addresses_of_the_network),
	};

	return run_named_tests(tests);
}
