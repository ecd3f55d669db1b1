// SPDX-License-Identifier: BSD-2-Clause
/* Archives, byte for byte, and as cpio reads them. */
#include "boot/cpio.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/support.h"

static const struct cpio_folder credentials = { .path = ".extra/credentials", .mode = 0500, .file_mode = 0400 };
static const struct cpio_folder extra = { .path = ".extra", .mode = 0555, .file_mode = 0444 };

static uint8_t archive[8192];

/* The fields that the format and systemd-stub require, written without the code under test. */
static uint8_t expected[8192];
static size_t expected_size;

static void expect_member(unsigned inode, unsigned mode, const char *name, const char *content)
{
	expected_size += (size_t)sprintf((char *)expected + expected_size,
					 "070701%08x%08x0000000000000000%08x%08x%08zx%032u%08zx%08u%s", inode, mode, 1u, 0u,
					 strlen(content), 0u, strlen(name) + 1, 0u, name) +
			 1;
	while (expected_size % 4)
		expected[expected_size++] = 0;
	memcpy(expected + expected_size, content, strlen(content));
	expected_size += strlen(content);
	while (expected_size % 4)
		expected[expected_size++] = 0;
}

static void expect_trailer(void)
{
	size_t start = expected_size;

	expect_member(0, 0, "TRAILER!!!", "");
	expected[start + 6 + 11 * 8 + 7] = 'B';
}

static void add(struct cpio *cpio, const char *name, const char *content)
{
	uint8_t *place;

	expect_ok(cpio_add_file(cpio, name, strlen(content), &place));
	if (cpio->bytes)
		memcpy(place, content, strlen(content));
	else
		assert_null(place);
}

/* Returns the size. It must not depend on whether bytes are written or only counted. */
static uint64_t write_credentials(void *bytes, uint64_t capacity)
{
	struct cpio cpio;

	expect_ok(cpio_start(&cpio, &credentials, bytes, capacity));
	add(&cpio, "a.cred", "x");
	add(&cpio, "empty.cred", "");
	add(&cpio, "long-name.cred", "four and five more");
	expect_ok(cpio_finish(&cpio));
	return cpio.size;
}

static void archive_is_what_systemd_stub_writes(void **state)
{
	(void)state;
	memset(archive, 0xee, sizeof(archive));
	expect_member(1, 0040555, ".extra", "");
	expect_member(2, 0040500, ".extra/credentials", "");
	expect_member(3, 0100400, ".extra/credentials/a.cred", "x");
	expect_member(4, 0100400, ".extra/credentials/empty.cred", "");
	expect_member(5, 0100400, ".extra/credentials/long-name.cred", "four and five more");
	expect_trailer();
	assert_int_equal(write_credentials(archive, sizeof(archive)), expected_size);
	assert_memory_equal(archive, expected, expected_size);
	assert_int_equal(archive[expected_size], 0xee);
}

static void a_single_folder_has_its_own_mode(void **state)
{
	struct cpio cpio;

	(void)state;
	expect_member(1, 0040555, ".extra", "");
	expect_member(2, 0100444, ".extra/os-release", "ID=x\n");
	expect_trailer();
	expect_ok(cpio_start(&cpio, &extra, archive, sizeof(archive)));
	add(&cpio, "os-release", "ID=x\n");
	expect_ok(cpio_finish(&cpio));
	assert_int_equal(cpio.size, expected_size);
	assert_memory_equal(archive, expected, expected_size);
}

static void counted_is_what_is_written(void **state)
{
	uint64_t size = write_credentials(NULL, 0);

	(void)state;
	assert_int_equal(size % 4, 0);
	assert_int_equal(write_credentials(archive, size), size);
}

/* The call for which a byte is missing fails, and writes nothing behind the end. */
static void no_byte_is_written_behind_the_end(void **state)
{
	uint64_t size = write_credentials(NULL, 0);

	(void)state;
	for (uint64_t capacity = 0; capacity < size; capacity++) {
		enum kexec_status status;
		struct cpio cpio;
		uint8_t *place;

		memset(archive, 0xee, sizeof(archive));
		log_clear();
		status = cpio_start(&cpio, &credentials, archive, capacity);
		if (!status)
			status = cpio_add_file(&cpio, "a.cred", 1, &place);
		if (!status)
			status = cpio_add_file(&cpio, "empty.cred", 0, &place);
		if (!status)
			status = cpio_add_file(&cpio, "long-name.cred", 18, &place);
		if (!status)
			status = cpio_finish(&cpio);
		expect_error(status, KEXEC_TOO_LARGE, "archive of .extra/credentials: expected at most 0x");
		for (uint64_t i = capacity; i < sizeof(archive); i++)
			assert_int_equal(archive[i], 0xee);
	}
}

static void file_too_large_for_the_format(void **state)
{
	struct cpio cpio;
	uint8_t *place;

	(void)state;
	expect_ok(cpio_start(&cpio, &extra, NULL, 0));
	expect_ok(cpio_add_file(&cpio, "largest.raw", UINT32_MAX, &place));
	expect_error(cpio_add_file(&cpio, "more.raw", 0x100000000, &place), KEXEC_TOO_LARGE,
		     "more.raw: expected at most 4294967295 bytes in an initrd, found 4294967296");
}

/* An independent program reads the archive. */
static void cpio_reads_it(void **state)
{
	static const char wanted[] = "dr-xr-xr-x   1 root     root            0 Jan  1  1970 .extra\n"
				     "dr-x------   1 root     root            0 Jan  1  1970 .extra/credentials\n"
				     "-r--------   1 root     root            1 Jan  1  1970 .extra/credentials/a.cred\n"
				     "-r--------   1 root     root            0 Jan  1  1970 .extra/credentials/empty.cred\n"
				     "-r--------   1 root     root           18 Jan  1  1970 .extra/credentials/long-name.cred\n"
				     "four and five more";
	char path[] = "/tmp/cpio-XXXXXX";
	char command[200];
	char found[2048];
	size_t length;
	int file = mkstemp(path);
	uint64_t size = write_credentials(archive, sizeof(archive));
	FILE *program;

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(write(file, archive, size), (ssize_t)size);
	close(file);
	sprintf(command, "LC_ALL=C TZ=UTC cpio -itv --quiet <%s && cpio -i --quiet --to-stdout '*long*' <%s", path, path);
	program = popen(command, "r");
	assert_non_null(program);
	length = fread(found, 1, sizeof(found) - 1, program);
	found[length] = '\0';
	assert_int_equal(pclose(program), 0);
	unlink(path);
	assert_string_equal(found, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archive_is_what_systemd_stub_writes),
		cmocka_unit_test(a_single_folder_has_its_own_mode),
		cmocka_unit_test(counted_is_what_is_written),
		cmocka_unit_test(no_byte_is_written_behind_the_end),
		cmocka_unit_test(file_too_large_for_the_format),
		cmocka_unit_test(cpio_reads_it),
	};

	return run_named_tests(tests);
}
