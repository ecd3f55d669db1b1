// SPDX-License-Identifier: BSD-2-Clause
/* Initrds that Linux unpacks, and initrds that it does not. */
#include "boot/initrd_content.h"

#include <stdio.h>

#include "tests/unit/support.h"

/* --- contents --- */

struct content {
	size_t size;
	uint8_t bytes[4096];
};

static struct content add(struct content content, const void *bytes, size_t size)
{
	memcpy(content.bytes + content.size, bytes, size);
	content.size += size;
	return content;
}

static struct content zeros(struct content content, size_t count)
{
	static const uint8_t zero[2048];

	return add(content, zero, count);
}

/* Adds a member with a file of `size` bytes to an archive. */
static struct content member(struct content content, const char *name, size_t size)
{
	char header[256];

	snprintf(header, sizeof(header), "070701%048X%08zX%032X%08zX%08X", 0, size, 0, strlen(name) + 1, 0);
	content = add(content, header, 110);
	content = add(content, name, strlen(name) + 1);
	content = zeros(content, (4 - content.size % 4) % 4);
	content = zeros(content, size);
	return zeros(content, (4 - content.size % 4) % 4);
}

static struct content archive(void)
{
	return member(member((struct content){ 0 }, "a", 5), "TRAILER!!!", 0);
}

static struct content microcode(void)
{
	struct content content = member(member((struct content){ 0 }, "kernel", 0), "kernel/x86", 0);

	return zeros(member(member(content, "kernel/x86/microcode/GenuineIntel.bin", 9), "TRAILER!!!", 0), 300);
}

static struct content gzip(void)
{
	return add((struct content){ 0 }, "\x1f\x8b\x08 and so on", 13);
}

/* Adds a frame with two blocks. */
static struct content lz4_behind(struct content content)
{
	return add(content, "\x02\x21\x4c\x18\x03\0\0\0abc\x05\0\0\0defgh", 20);
}

static struct content lz4(void)
{
	return lz4_behind((struct content){ 0 });
}

/* --- messages --- */

/* Each content is in memory of exactly its size. */
static void look_at(const struct content *contents, size_t count)
{
	static const char *const names[] = { "/a", "/b", "/c", "/d", "/e", "/f" };
	struct initrd_look look = { 0 };
	uint8_t *copies[6];

	log_clear();
	for (size_t i = 0; i < count; i++) {
		copies[i] = malloc(contents[i].size ? contents[i].size : 1);
		memcpy(copies[i], contents[i].bytes, contents[i].size);
		initrd_look(&look, names[i], copies[i], contents[i].size);
	}
	for (size_t i = 0; i < count; i++)
		free(copies[i]);
}

#define LOOK_AT(...)                                                                                                   \
	look_at((struct content[]){ __VA_ARGS__ }, sizeof((struct content[]){ __VA_ARGS__ }) / sizeof(struct content))

#define EXPECT_SILENCE(...)                                                                                            \
	do {                                                                                                           \
		LOOK_AT(__VA_ARGS__);                                                                                  \
		assert_string_equal(logged(), "");                                                                     \
	} while (0)

#define EXPECT_LOST(...)                                                                                               \
	do {                                                                                                           \
		LOOK_AT(__VA_ARGS__);                                                                                  \
		assert_string_equal(logged(),                                                                          \
				    "warning: /a: expected an initrd in lz4 to be the last one, found /b behind it: "  \
				    "Linux loses all that follows; name it last, or compress it otherwise\n");         \
	} while (0)

#define EXPECT_CUT_OFF(...)                                                                                            \
	do {                                                                                                           \
		LOOK_AT(__VA_ARGS__);                                                                                  \
		assert_string_equal(logged(), "warning: /a: expected a whole archive, found that it ends within a "    \
					      "member: was it cut off?\n");                                            \
	} while (0)

static void good_ones(void **state)
{
	(void)state;
	EXPECT_SILENCE(archive());
	EXPECT_SILENCE(microcode(), gzip(), archive(), gzip());
	EXPECT_SILENCE(microcode(), archive(), microcode(), gzip());
	EXPECT_SILENCE(add(zeros((struct content){ 0 }, 4), archive().bytes, archive().size));
}

static void lz4_that_is_the_last(void **state)
{
	(void)state;
	EXPECT_SILENCE(lz4());
	EXPECT_SILENCE(microcode(), gzip(), lz4());
	EXPECT_SILENCE(lz4_behind(microcode()));
}

static void lz4_with_something_behind_it(void **state)
{
	(void)state;
	EXPECT_LOST(lz4(), gzip());
	EXPECT_LOST(lz4(), archive());
	EXPECT_LOST(lz4(), gzip(), archive());
	EXPECT_LOST(lz4_behind(lz4()), gzip());
	EXPECT_LOST(lz4_behind(zeros(archive(), 512)), gzip());
	/* Not aligned: Linux takes the next frame's magic for a size. */
	EXPECT_LOST(add(lz4(), "\x01\0\0\0x", 5), lz4());
}

static void lz4_that_joins_the_next(void **state)
{
	(void)state;
	EXPECT_SILENCE(lz4(), lz4());
	LOOK_AT(lz4(), lz4(), gzip());
	assert_non_null(
		strstr(logged(), "warning: /b: expected an initrd in lz4 to be the last one, found /c behind it"));
}

static void expect_broken(struct content content)
{
	LOOK_AT(content);
	assert_string_equal(logged(),
			    "warning: /a: expected lz4 up to the end, found something else behind it: Linux loses all "
			    "from there on; put it last, or compress it otherwise\n");
}

/* Several initrds were joined, or one was cut short. */
static void lz4_with_something_else_in_its_file(void **state)
{
	struct content cut = lz4();

	(void)state;
	expect_broken(add(lz4(), "070701 and so on", 16));
	expect_broken(add(lz4(),
			  "\xfd"
			  "7zXZ",
			  5));
	for (cut.size--; cut.size > 14; cut.size--)
		expect_broken(cut);
	LOOK_AT(add(lz4(), "070701 and so on", 16), gzip());
	assert_null(strstr(logged(), "the last one"));
}

/* A size of 0 ends the frame. Fewer bytes than a size have no meaning. */
static void lz4_with_an_end_of_its_own(void **state)
{
	(void)state;
	EXPECT_SILENCE(zeros(lz4(), 4), gzip());
	EXPECT_SILENCE(zeros(lz4(), 512), gzip());
	EXPECT_SILENCE(add(lz4(), "\0\0", 2), gzip());
}

static void members_that_lie(void **state)
{
	struct content content = archive();

	(void)state;
	memcpy(content.bytes + 54, "FFFFFFFF", 8);
	EXPECT_CUT_OFF(lz4_behind(content), gzip());
	memcpy(content.bytes + 94, "ffffffff", 8);
	EXPECT_CUT_OFF(lz4_behind(content), gzip());
	for (size_t size = 0; size < 120; size++) {
		content = archive();
		content.size = size;
		LOOK_AT(content, gzip());
		assert_null(strstr(logged(), "/b"));
	}
}

/* File systems that Linux accepts as an old initrd, and all formats that it unpacks. */
static void kinds_that_linux_knows(void **state)
{
	static const struct {
		size_t offset;
		const char *magic;
	} kinds[] = {
		{ 0, "\x1f\x8b" },	   { 0, "BZh9" },	 { 0, "\xfd\x37zXZ" }, { 0, "\x89LZO" },
		{ 0, "\x28\xb5\x2f\xfd" }, { 0, "hsqs" },	 { 0, "-rom1fs-" },    { 0, "\x45\x3d\xcd\x28" },
		{ 1080, "\x53\xef" },	   { 1040, "\x7f\x13" },
	};

	(void)state;
	EXPECT_SILENCE(add((struct content){ 0 }, "\x5d\0\0\x80\0", 5));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct content content = zeros((struct content){ 0 }, kinds[i].offset);

		content = add(content, kinds[i].magic, strlen(kinds[i].magic));
		EXPECT_SILENCE(content);
		/* Linux unpacks one after the other. */
		if (!kinds[i].offset)
			EXPECT_SILENCE(add(zeros(archive(), 512), kinds[i].magic, strlen(kinds[i].magic)));
		content.size = kinds[i].offset + 1;
		content = zeros(content, 16);
		LOOK_AT(content);
		assert_non_null(strstr(logged(), "warning: /a: expected "));
	}
	/* Linux removes these first. */
	EXPECT_SILENCE(add(archive(), "quiet\0\0\0\0\0\0\0#BOOTCONFIG\n", 24));
	EXPECT_SILENCE(add(archive(), "quiet\0\0\0\0\0\0\0#BOOTCONFIG\n\0\0\0", 27));
}

static void expect_unknown(struct content content, const char *found)
{
	LOOK_AT(content);
	assert_non_null(strstr(logged(), "warning: /a: expected an archive that Linux unpacks, found "));
	if (!strstr(logged(), found))
		fail_msg("expected %s, logged: %s", found, logged());
}

static void files_that_nobody_knows(void **state)
{
	const struct content none = { 0 };

	(void)state;
	expect_unknown(add(none, "version https://git-lfs.github.com/spec/v1", 42),
		       "found something else (version https://git-lfs.github.com/spec/)\n");
	expect_unknown(zeros(add(none, "\1\0\0\0\x20", 5), 11), "found something else (01 00 00 00)\n");
	expect_unknown(add(none, "\nabcdefghijklmno", 16), "found something else (0a 61 62 63)\n");
	/* A dummy initrd. */
	EXPECT_SILENCE(add(none, "\nabcdefghijklmno", 15), gzip());
	EXPECT_SILENCE(zeros(none, 15), gzip());
	expect_unknown(add(zeros(archive(), 512), "hello", 5), "found something else behind one (hello)\n");
	expect_unknown(zeros(none, 2048), "found zeros\n");
	expect_unknown(zeros(none, 16), "found zeros\n");
	expect_unknown(add(archive(), "quiet\0\0\0\0\0\0\0#BOOTCONFIG\n\0\0\0\0", 28), "behind one (quiet)\n");
}

/* Incomplete copies. */
static void archive_that_is_cut_off(void **state)
{
	const struct content whole = member(archive(), "a longer one", 500);

	(void)state;
	EXPECT_SILENCE(whole);
	for (size_t size = 16; size < 110; size++) {
		struct content cut = whole;

		cut.size = size;
		EXPECT_CUT_OFF(cut);
		cut = whole;
		cut.size -= size;
		EXPECT_CUT_OFF(cut);
	}
}

static void microcode_behind_a_compressed_initrd(void **state)
{
	(void)state;
	LOOK_AT(archive(), gzip(), archive(), microcode());
	assert_string_equal(logged(),
			    "warning: /d: expected microcode ahead of compressed initrds, found it behind /b: Linux "
			    "looks no further when it starts; name it first\n");
}

static struct content tar(void)
{
	return add(zeros(add((struct content){ 0 }, "a", 1), 256), "ustar", 5);
}

static void files_that_are_no_initrds(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *kind;
	} kinds[] = {
		{ "MZ", 2, "an EFI application" },
		{ "\x7f"
		  "ELF",
		  4, "an ELF file" },
		{ "\x04\x22\x4d\x18", 4, "lz4 not made by lz4 -l" },
		{ "070707", 6, "cpio not made by -H newc" },
		{ "PK\x03\x04", 4, "a zip archive" },
		{ "\x27\x05\x19\x56", 4, "an image of U-Boot's" },
		{ "<!DOCTYPE html", 14, "a web page" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		LOOK_AT(add((struct content){ 0 }, kinds[i].bytes, kinds[i].size));
		assert_non_null(strstr(logged(), "warning: /a: expected an archive that Linux unpacks, found "));
		assert_non_null(strstr(logged(), kinds[i].kind));
		LOOK_AT(add((struct content){ 0 }, kinds[i].bytes, 1));
		assert_null(strstr(logged(), kinds[i].kind));
	}
	LOOK_AT(tar());
	assert_non_null(strstr(logged(), "found a tar archive\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_that_linux_knows),
		cmocka_unit_test(files_that_nobody_knows),
		cmocka_unit_test(archive_that_is_cut_off),
		cmocka_unit_test(good_ones),
		cmocka_unit_test(lz4_that_is_the_last),
		cmocka_unit_test(lz4_with_something_behind_it),
		cmocka_unit_test(lz4_that_joins_the_next),
		cmocka_unit_test(lz4_with_an_end_of_its_own),
		cmocka_unit_test(lz4_with_something_else_in_its_file),
		cmocka_unit_test(members_that_lie),
		cmocka_unit_test(microcode_behind_a_compressed_initrd),
		cmocka_unit_test(files_that_are_no_initrds),
	};

	return run_named_tests(tests);
}
