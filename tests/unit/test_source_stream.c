// SPDX-License-Identifier: BSD-2-Clause
/* Streams from a source that is slow, short or broken, or that reports wrong sizes. */
#include "efi/source/stream.h"

#include <sys/mman.h>

#include "efi/services/clock.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

#define MIB (1ull << 20)
#define FILE_SIZE (5 * MIB + 123)

/* --- a source whose bytes depend on their offset --- */

static struct {
	uint64_t size;	      /* the reported size */
	uint64_t end;	      /* the real end */
	uint64_t largest;     /* a longer read fails; 0: no limit */
	uint64_t at_once_max; /* the most bytes that a read returns; 0: all */
	uint64_t lies_by;     /* a read reports this many bytes more than it returned */
	unsigned fails_at;    /* the Nth read fails, counted from 1; 0: none */
	bool is_broken;	      /* since a read that was too long, until it is opened again */
	bool reopen_fails;
	bool is_silent; /* logs the reason of a failed read itself */
	unsigned reads;
	uint64_t largest_asked;
	uint64_t next; /* the offset at which the next read must begin */
	unsigned open_count;
} fake;

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset ^ offset >> 8 ^ offset >> 16);
}

static enum kexec_status fake_open(struct source *source, const char *name, struct source_file *ret_file)
{
	fake.open_count++;
	*ret_file = (struct source_file){ .source = source, .name = name, .size = fake.size, .handle = &fake };
	return KEXEC_OK;
}

static enum kexec_status fake_read(struct source_file *file, uint64_t offset, void *buffer, uint64_t *size,
				   const char **ret_why)
{
	uint64_t left = fake.end - offset;

	assert_ptr_equal(file->handle, &fake);
	assert_int_equal(offset, fake.next);
	if (*size > fake.largest_asked)
		fake.largest_asked = *size;
	*ret_why = fake.is_silent ? NULL : "WHY";
	fake.is_broken |= fake.largest && *size > fake.largest;
	if (++fake.reads == fake.fails_at || fake.is_broken)
		return KEXEC_IO;
	if (fake.at_once_max && *size > fake.at_once_max)
		*size = fake.at_once_max;
	if (*size > left)
		*size = left;
	for (uint64_t i = 0; i < *size; i++)
		((uint8_t *)buffer)[i] = byte_at(offset + i);
	fake.next += *size;
	*size += fake.lies_by;
	return KEXEC_OK;
}

static enum kexec_status fake_reopen(struct source_file *file, uint64_t offset)
{
	(void)file;
	assert_int_equal(offset, fake.next);
	fake.is_broken = false;
	return fake.reopen_fails ? KEXEC_NOT_FOUND : KEXEC_OK;
}

static void fake_close(struct source_file *file)
{
	fake.open_count -= file->handle != NULL;
	file->handle = NULL;
}

static struct source source;
static struct stream stream;

static void start(uint64_t size)
{
	source = (struct source){ .open = fake_open,
				  .read = fake_read,
				  .reopen = fake_reopen,
				  .close = fake_close,
				  .bears_large_reads = true };
	fake.size = size;
	fake.end = size;
	expect_ok(stream_open(&source, "/file", &stream));
}

/* --- other dependencies of the stream --- */

static uint64_t now_usec = 1;
static uint64_t usec_per_call = 1;
static unsigned progress_lines;
static uint64_t pages_held;
static bool no_bounce_buffer;

uint64_t clock_usec(void)
{
	return now_usec += usec_per_call;
}

void console_progress(const char *path, unsigned percent, uint64_t mb_per_second)
{
	(void)mb_per_second;
	assert_true(path[0] == '/');
	assert_in_range(percent, 0, 99);
	progress_lines++;
}

void console_progress_done(const char *path, uint64_t mb_per_second)
{
	(void)mb_per_second;
	assert_true(path[0] == '/');
}

static EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)code;
	(void)size;
	(void)data;
	assert_true(seconds);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN count,
					EFI_PHYSICAL_ADDRESS *addr)
{
	void *place;

	(void)type;
	assert_int_equal(how, AllocateMaxAddress);
	assert_in_range(*addr, 0, UINT32_MAX);
	if (no_bounce_buffer)
		return EFI_OUT_OF_RESOURCES;
	place = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	assert_ptr_not_equal(place, MAP_FAILED);
	*addr = (uintptr_t)place;
	pages_held += count;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN count)
{
	munmap((void *)(uintptr_t)addr, count * 4096);
	pages_held -= count;
	return EFI_SUCCESS;
}

static void start_firmware(void)
{
	static EFI_BOOT_SERVICES boot_services = {
		.SetWatchdogTimer = set_watchdog_timer,
		.AllocatePages = allocate_pages,
		.FreePages = free_pages,
	};
	static EFI_SYSTEM_TABLE system_table = { .BootServices = &boot_services };

	firmware_init(NULL, &system_table);
}

/* --- a sink that expects each byte once, in order --- */

struct counting_sink {
	struct sink sink;
	uint64_t addr;
	uint64_t offset;
};

static void count(struct sink *sink, uint64_t addr, uint64_t size)
{
	struct counting_sink *counting = (struct counting_sink *)sink;
	const uint8_t *bytes = (const uint8_t *)(uintptr_t)addr;

	assert_int_equal(addr, counting->addr);
	assert_in_range(size, 1, READ_SIZE_PIECE);
	for (uint64_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], byte_at(counting->offset + i));
	counting->addr += size;
	counting->offset += size;
}

/* Maps memory above or below 4 GiB. */
static uint64_t map(uint64_t size, int flags)
{
	void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	assert_ptr_not_equal(place, MAP_FAILED);
	return (uintptr_t)place;
}

static struct counting_sink sink;

static enum kexec_status read_to(uint64_t addr)
{
	start_firmware();
	sink = (struct counting_sink){ .sink = { .take = count }, .addr = addr };
	return stream_read(&stream, addr, fake.size, &sink.sink);
}

static enum kexec_status read_all(void)
{
	return read_to(map(fake.size, MAP_32BIT));
}

static void expect_all_read(void)
{
	expect_ok(read_all());
	assert_int_equal(sink.offset, fake.size);
	assert_int_equal(stream.done, fake.size);
	expect_ok(stream_expect_end(&stream));
	stream_show_done(&stream);
	stream_close(&stream);
	assert_int_equal(fake.open_count, 0);
	stream_close(&stream);
	assert_int_equal(fake.open_count, 0);
}

/* --- tests --- */

static void each_byte_arrives_once_in_order(void **state)
{
	(void)state;
	start(FILE_SIZE);
	expect_all_read();
	assert_true(fake.largest_asked > READ_SIZE_PIECE);
	assert_string_equal(logged(), "");
}

static void empty_part(void **state)
{
	(void)state;
	start(0);
	start_firmware();
	expect_ok(stream_read(&stream, 0x1000, 0, NULL));
	expect_ok(stream_expect_end(&stream));
	assert_int_equal(fake.reads, 1);
}

static void short_reads(void **state)
{
	(void)state;
	start(FILE_SIZE);
	fake.at_once_max = 70001;
	expect_all_read();
}

static void source_that_bears_pieces_only(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	expect_all_read();
	assert_int_equal(fake.largest_asked, READ_SIZE_PIECE);
}

static void large_read_that_breaks_the_file(void **state)
{
	(void)state;
	start(FILE_SIZE);
	fake.largest = READ_SIZE_PIECE;
	expect_all_read();
	assert_string_equal(logged(), "/file: a read of 4194427 bytes found WHY: reading less at once\n");
	/* One failure is enough, whichever file it was. */
	assert_false(source.bears_large_reads);
	assert_int_equal(fake.reads, 1 + 6 + 1);
}

/* Other files that were open at the failure may be broken, too. */
static void large_read_of_another_file_that_breaks_this_one(void **state)
{
	struct stream other;

	(void)state;
	start(FILE_SIZE);
	expect_ok(stream_open(&source, "/other", &other));
	fake.largest = READ_SIZE_PIECE;
	expect_ok(read_all());
	fake.is_broken = true;
	fake.next = 0;
	stream_close(&stream);
	stream = other;
	expect_ok(read_all());
	assert_false(fake.is_broken);
	/* The file is reopened once. */
	fake.reopen_fails = true;
	expect_ok(stream_expect_end(&stream));
}

static void file_that_cannot_be_opened_anew(void **state)
{
	(void)state;
	start(FILE_SIZE);
	fake.largest = READ_SIZE_PIECE;
	fake.reopen_fails = true;
	assert_int_equal(read_all(), KEXEC_NOT_FOUND);
}

static void piece_that_fails(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	fake.fails_at = 3;
	expect_error(read_all(), KEXEC_IO, "/file: cannot read: expected 1048576 bytes, found WHY");
	assert_int_equal(sink.offset, 2 * MIB);
}

static void source_that_has_said_why(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	fake.fails_at = 1;
	fake.is_silent = true;
	assert_int_equal(read_all(), KEXEC_IO);
	assert_string_equal(logged(), "");
}

static void source_that_reads_whole(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	source.reads_whole = true;
	usec_per_call = 1000000;
	expect_all_read();
	assert_int_equal(fake.largest_asked, FILE_SIZE);
	/* One read, and one that finds the end. */
	assert_int_equal(fake.reads, 2);
	assert_int_equal(progress_lines, 0);
}

static void source_that_reads_whole_and_fails(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.reads_whole = true;
	fake.fails_at = 1;
	expect_error(read_all(), KEXEC_IO, "/file: cannot read: expected 5243003 bytes, found WHY");
	assert_int_equal(fake.reads, 1);
}

/* A source that reads whole files reads in pieces to memory that it cannot reach. */
static void source_that_reads_whole_to_high_memory(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.reads_whole = true;
	expect_ok(read_to(map(FILE_SIZE, 0)));
	assert_int_equal(sink.offset, FILE_SIZE);
	assert_int_equal(fake.largest_asked, READ_SIZE_PIECE);
}

static void source_that_brings_more_than_was_asked_for(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	fake.lies_by = 1;
	expect_error(read_all(), KEXEC_IO, "/file: cannot read: expected at most 1048576 bytes, found 1048577");
	assert_int_equal(sink.offset, 0);
}

static void part_shorter_than_its_size(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	fake.end = 3 * MIB + 1;
	expect_error(read_all(), KEXEC_TRUNCATED, "/file: ends early: expected 5243003 bytes, found 3145729");
}

static void part_longer_than_its_size(void **state)
{
	(void)state;
	start(MIB);
	fake.end = MIB + 1;
	expect_ok(read_all());
	expect_error(stream_expect_end(&stream), KEXEC_MISMATCH,
		     "/file: changed while it was read: expected 1048576 bytes, found more");
}

static void memory_above_4_gib_is_filled_through_a_buffer(void **state)
{
	(void)state;
	start(FILE_SIZE);
	expect_ok(read_to(map(fake.size, 0)));
	assert_true(sink.addr >= 1ull << 32);
	assert_int_equal(sink.offset, fake.size);
	assert_int_equal(fake.largest_asked, READ_SIZE_PIECE);
	assert_int_equal(pages_held, 0);
}

static void no_memory_for_the_buffer(void **state)
{
	(void)state;
	start(FILE_SIZE);
	no_bounce_buffer = true;
	expect_error(read_to(1ull << 32), KEXEC_NO_MEMORY,
		     "/file: expected 0x100000 bytes below 4 GiB to read through, found OUT_OF_RESOURCES");
	assert_int_equal(fake.reads, 0);
}

static void buffer_is_given_back_where_a_read_fails(void **state)
{
	(void)state;
	start(FILE_SIZE);
	fake.fails_at = 2;
	expect_error(read_to(map(fake.size, 0)), KEXEC_IO, "cannot read");
	assert_int_equal(pages_held, 0);
}

static void progress_of_what_takes_longer_than_a_second(void **state)
{
	(void)state;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	expect_ok(read_all());
	assert_int_equal(progress_lines, 0);

	fake.next = 0;
	start(FILE_SIZE);
	source.bears_large_reads = false;
	usec_per_call = 300000;
	expect_ok(read_all());
	assert_in_range(progress_lines, 2, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_arrives_once_in_order),
		cmocka_unit_test(empty_part),
		cmocka_unit_test(short_reads),
		cmocka_unit_test(source_that_bears_pieces_only),
		cmocka_unit_test(large_read_that_breaks_the_file),
		cmocka_unit_test(large_read_of_another_file_that_breaks_this_one),
		cmocka_unit_test(file_that_cannot_be_opened_anew),
		cmocka_unit_test(piece_that_fails),
		cmocka_unit_test(source_that_has_said_why),
		cmocka_unit_test(source_that_reads_whole),
		cmocka_unit_test(source_that_reads_whole_and_fails),
		cmocka_unit_test(source_that_reads_whole_to_high_memory),
		cmocka_unit_test(source_that_brings_more_than_was_asked_for),
		cmocka_unit_test(part_shorter_than_its_size),
		cmocka_unit_test(part_longer_than_its_size),
		cmocka_unit_test(memory_above_4_gib_is_filled_through_a_buffer),
		cmocka_unit_test(no_memory_for_the_buffer),
		cmocka_unit_test(buffer_is_given_back_where_a_read_fails),
		cmocka_unit_test(progress_of_what_takes_longer_than_a_second),
	};

	return run_named_tests(tests);
}
