// SPDX-License-Identifier: BSD-2-Clause
/* Archives of sidecars and sections, and files that change, end early or fail between counting and reading. */
#include "efi/extras/extras.h"

#include "common/align.h"
#include "efi/source/stream.h"
#include "tests/unit/support.h"

/* --- a stream whose files can change --- */

static struct {
	const char *content;
	unsigned opened;
	unsigned held;
	const char *content_later; /* content from the second opening on; NULL: the same */
	unsigned open_fails_at;	   /* the Nth opening fails; 0: none */
	bool read_fails;
	char path[600];
} fake;

enum kexec_status stream_open(struct source *source, const char *name, struct stream *ret_stream)
{
	(void)source;
	*ret_stream = (struct stream){ 0 };
	strcpy(fake.path, name);
	if (++fake.opened == fake.open_fails_at)
		return KEXEC_IO;
	if (fake.opened > 1 && fake.content_later)
		fake.content = fake.content_later;
	fake.held++;
	ret_stream->file.handle = &fake;
	ret_stream->file.size = strlen(fake.content);
	return KEXEC_OK;
}

void stream_close(struct stream *stream)
{
	fake.held -= stream->file.handle != NULL;
}

enum kexec_status stream_read(struct stream *stream, uint64_t addr, uint64_t size, struct sink *sink)
{
	assert_null(sink);
	assert_int_equal(size, stream->file.size);
	if (fake.read_fails)
		return KEXEC_TRUNCATED;
	memcpy(phys_to_ptr(addr), fake.content, size);
	return KEXEC_OK;
}

enum kexec_status stream_expect_end(struct stream *stream)
{
	(void)stream;
	return KEXEC_OK;
}

/* --- one archive, or one section --- */

static const struct cpio_folder place = { .path = ".extra/sysext", .mode = 0555, .file_mode = 0444 };
static union {
	struct folder_name name;
	char room[sizeof(struct folder_name) + 20];
} file, other;
static struct extras_folder folder = { .path = "\\x.extra.d" };
static struct unified_view view;
static struct extra extra;
static struct extras extras = { .list = &extra, .count = 1 };
static struct digest digest;
static uint8_t memory[4096];

static void use_folder(const char *content)
{
	strcpy(file.name.text, "a.raw");
	strcpy(other.name.text, "b.cred");
	file.name.next = &other.name;
	folder.folder.names = &file.name;
	extra = (struct extra){ .name = place.path, .archive = &place, .folder = &folder, .sidecar = SIDECAR_SYSEXT };
	fake.content = content;
	memset(memory, 0xee, sizeof(memory));
}

static enum kexec_status load(void)
{
	return extra_load(&extras, &extra, &digest, (uintptr_t)memory);
}

static void expect_nothing_behind(void)
{
	assert_int_equal(fake.held, 0);
	assert_int_equal(memory[extra.size], 0xee);
}

static void archive_has_the_files_of_its_kind(void **state)
{
	struct cpio cpio;
	static uint8_t expected[4096];
	uint8_t *content;

	(void)state;
	use_folder("extension");
	expect_ok(extras_find_sizes(&extras));
	assert_int_equal(fake.opened, 1);
	assert_string_equal(fake.path, "\\x.extra.d\\a.raw");
	expect_ok(load());
	expect_ok(cpio_start(&cpio, &place, expected, sizeof(expected)));
	expect_ok(cpio_add_file(&cpio, "a.raw", 9, &content));
	memcpy(content, "extension", 9);
	expect_ok(cpio_finish(&cpio));
	assert_int_equal(extra.size, cpio.size);
	assert_int_equal(extra.addr, (uintptr_t)memory);
	assert_memory_equal(memory, expected, cpio.size);
	expect_nothing_behind();
}

static void file_that_has_grown(void **state)
{
	(void)state;
	use_folder("1234");
	fake.content_later = "12345";
	expect_ok(extras_find_sizes(&extras));
	expect_error(load(), KEXEC_TOO_LARGE, "archive of .extra/sysext: expected at most 0x");
	expect_nothing_behind();
}

static void file_that_has_shrunk(void **state)
{
	(void)state;
	use_folder("12345");
	fake.content_later = "1234";
	expect_ok(extras_find_sizes(&extras));
	expect_error(load(), KEXEC_MISMATCH, ".extra/sysext: files changed while they were read: expected ");
	expect_nothing_behind();
}

/* The source has logged the reason. */
static void file_that_cannot_be_read(void **state)
{
	(void)state;
	use_folder("1");
	fake.open_fails_at = 1;
	assert_int_equal(extras_find_sizes(&extras), KEXEC_IO);
	expect_ok(extras_find_sizes(&extras));
	fake.open_fails_at = 3;
	assert_int_equal(load(), KEXEC_IO);
	fake.read_fails = true;
	assert_int_equal(load(), KEXEC_TRUNCATED);
	expect_nothing_behind();
}

static void use_section(uint64_t size)
{
	view.bytes = (const uint8_t *)"..ID=x";
	view.image.sections[UNIFIED_OS_RELEASE] = (struct unified_section){ .offset = 2, .file_size = 4, .size = size };
	extra = (struct extra){ .name = ".osrel", .view = &view, .part = UNIFIED_OS_RELEASE };
	memset(memory, 0xee, sizeof(memory));
	memset(memory + size, 0, 2);
	expect_ok(digest_start(&digest));
}

static void section_is_as_in_memory(void **state)
{
	(void)state;
	use_section(6);
	expect_ok(extras_find_sizes(&extras));
	assert_int_equal(extra.size, 6);
	expect_ok(load());
	assert_memory_equal(memory, "ID=x\0\0\0\0\xee", 9);
	extra.archive = &place;
	extra.file_name = "os-release";
	expect_ok(extras_find_sizes(&extras));
	assert_int_equal(extra.size % 4, 0);
	expect_ok(load());
	expect_nothing_behind();
	digest_free(&digest);
}

static void section_that_was_changed_since_it_arrived(void **state)
{
	uint8_t arrived[SHA256_DIGEST_SIZE];
	static const uint8_t in_memory[8] = "ID=x";

	(void)state;
	use_section(6);
	digest_of_file(&digest, (uintptr_t)in_memory, 6, arrived);
	extra.digest = arrived;
	expect_ok(extras_find_sizes(&extras));
	expect_ok(load());
	log_clear();
	view.bytes = (const uint8_t *)"..ID=y";
	expect_error(load(), KEXEC_MISMATCH, ".osrel: expected its 6 bytes as they were read, found others");
	extra.archive = &place;
	extra.file_name = "os-release";
	expect_ok(extras_find_sizes(&extras));
	log_clear();
	expect_error(load(), KEXEC_MISMATCH, ".osrel: expected its 6 bytes as they were read, found others");
	digest_free(&digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archive_has_the_files_of_its_kind),
		cmocka_unit_test(file_that_has_grown),
		cmocka_unit_test(file_that_has_shrunk),
		cmocka_unit_test(file_that_cannot_be_read),
		cmocka_unit_test(section_is_as_in_memory),
		cmocka_unit_test(section_that_was_changed_since_it_arrived),
	};

	return run_named_tests(tests);
}
