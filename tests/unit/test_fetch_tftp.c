// SPDX-License-Identifier: BSD-2-Clause
/* Files by TFTP, from servers that fail, or that send another size than they announced. */
#include "efi/network/tftp.h"

#include "efi/services/clock.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

#define SIZE 10000u

/* --- a PXE protocol with one file --- */

static struct {
	uint64_t size;	     /* the announced size */
	uint64_t sends;	     /* the size that it sends */
	EFI_STATUS status;   /* the result of the calls that fail */
	unsigned fails_from; /* the first call that fails, counted from 1; 0: none */
	unsigned fails_count;
	unsigned calls;
	unsigned reads;
	bool calls_back; /* for each packet, if a callback is installed */
	bool listens;
	EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL *callback;
	uint64_t pages_held;
	bool no_memory;
	unsigned watchdog_feeds;
	bool watchdog_off;
	unsigned progress_lines;
} fake;

static uint8_t pages[4 * 4096];
static EFI_PXE_BASE_CODE_MODE mode;

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset ^ offset >> 8);
}

static void send_packets(void)
{
	for (uint64_t sent = 0; fake.listens && sent < fake.sends; sent += 1428)
		assert_int_equal(fake.callback->Callback(fake.callback, EFI_PXE_BASE_CODE_FUNCTION_DHCP, TRUE, 1432,
							 NULL),
				 EFI_PXE_BASE_CODE_CALLBACK_STATUS_CONTINUE);
}

static EFI_STATUS send_file(uint8_t *buffer, UINT64 *size)
{
	uint64_t room = *size;

	fake.reads++;
	send_packets();
	*size = fake.sends;
	for (uint64_t i = 0; i < fake.sends && i < room; i++)
		buffer[i] = byte_at(i);
	return fake.sends > room ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI mtftp(EFI_PXE_BASE_CODE_PROTOCOL *self, EFI_PXE_BASE_CODE_TFTP_OPCODE operation, VOID *buffer,
			       BOOLEAN overwrite, UINT64 *size, UINTN *block_size, EFI_IP_ADDRESS *server, UINT8 *path,
			       EFI_PXE_BASE_CODE_MTFTP_INFO *info, BOOLEAN no_buffer)
{
	(void)self;
	assert_false(overwrite);
	assert_false(no_buffer);
	assert_null(info);
	assert_true(*block_size >= 512);
	assert_memory_equal(server, "\x0a\0\2\2", 4);
	assert_string_equal((const char *)path, "dir/file");
	fake.calls++;
	if (fake.fails_from && fake.calls >= fake.fails_from && fake.calls < fake.fails_from + fake.fails_count)
		return fake.status;
	if (operation == EFI_PXE_BASE_CODE_TFTP_READ_FILE)
		return send_file(buffer, size);
	assert_int_equal(operation, EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE);
	*size = fake.size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_parameters(EFI_PXE_BASE_CODE_PROTOCOL *self, BOOLEAN *arp, BOOLEAN *guid, UINT8 *ttl,
					UINT8 *tos, BOOLEAN *make_callback)
{
	(void)self;
	assert_true(!arp && !guid && !ttl && !tos);
	if (*make_callback && (!fake.calls_back || !fake.callback))
		return EFI_INVALID_PARAMETER;
	fake.listens = *make_callback;
	return EFI_SUCCESS;
}

static EFI_PXE_BASE_CODE_PROTOCOL pxe = { .Mtftp = mtftp, .SetParameters = set_parameters, .Mode = &mode };

/* --- the other services --- */

static EFI_STATUS EFIAPI allocate(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN count, EFI_PHYSICAL_ADDRESS *addr)
{
	assert_int_equal(how, AllocateAnyPages);
	assert_int_equal(type, EfiLoaderData);
	assert_int_equal(fake.pages_held, 0);
	if (fake.no_memory)
		return EFI_OUT_OF_RESOURCES;
	assert_in_range(count, 1, 4);
	fake.pages_held += count;
	*addr = (uintptr_t)pages;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN count)
{
	assert_int_equal(addr, (uintptr_t)pages);
	fake.pages_held -= count;
	memset(pages, 0xaa, sizeof(pages));
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI install(EFI_HANDLE *handle, EFI_GUID *guid, EFI_INTERFACE_TYPE type, VOID *interface)
{
	(void)guid;
	(void)type;
	assert_ptr_equal(*handle, &fake);
	assert_null(fake.callback);
	fake.callback = interface;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI uninstall(EFI_HANDLE handle, EFI_GUID *guid, VOID *interface)
{
	(void)guid;
	assert_ptr_equal(handle, &fake);
	assert_ptr_equal(fake.callback, interface);
	assert_false(fake.listens);
	fake.callback = NULL;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **ret_interface)
{
	(void)handle;
	(void)guid;
	(void)ret_interface;
	return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)code;
	(void)size;
	(void)data;
	fake.watchdog_off = !seconds;
	fake.watchdog_feeds += seconds != 0;
	return EFI_SUCCESS;
}

uint64_t clock_usec(void)
{
	static uint64_t now = 1;

	return now += 500000;
}

void console_progress(const char *path, unsigned percent, uint64_t mb_per_second)
{
	(void)mb_per_second;
	assert_string_equal(path, "/file");
	assert_in_range(percent, 0, 99);
	fake.progress_lines++;
}

static struct tftp_file file;
static uint8_t buffer[SIZE];
static const char *why;

static void start(uint64_t size, uint64_t sends)
{
	static EFI_BOOT_SERVICES boot_services = {
		.AllocatePages = allocate,
		.FreePages = free_pages,
		.InstallProtocolInterface = install,
		.UninstallProtocolInterface = uninstall,
		.HandleProtocol = handle_protocol,
		.SetWatchdogTimer = set_watchdog,
	};
	static EFI_SYSTEM_TABLE system_table = { .BootServices = &boot_services };

	firmware_init(NULL, &system_table);
	memset(&fake, 0, sizeof(fake));
	memset(&mode, 0, sizeof(mode));
	fake.size = size;
	fake.sends = sends;
	fake.status = EFI_TIMEOUT;
	fake.fails_count = 100;
	file = (struct tftp_file){ .pxe = &pxe, .device = &fake, .name = "/file", .path = "dir/file" };
	memcpy(&file.server, "\x0a\0\2\2", 4);
}

static enum kexec_status read_at(uint64_t offset, uint64_t wanted, uint64_t *ret_found)
{
	*ret_found = wanted;
	return tftp_file_read(&file, offset, buffer, ret_found, &why);
}

static void expect_read(uint64_t offset, uint64_t wanted, uint64_t expected)
{
	uint64_t found;

	expect_ok(read_at(offset, wanted, &found));
	assert_int_equal(found, expected);
	for (uint64_t i = 0; i < found; i++)
		assert_int_equal(buffer[i], byte_at(offset + i));
}

static void expect_nothing_held(void)
{
	tftp_file_close(&file);
	assert_int_equal(fake.pages_held, 0);
	assert_null(fake.callback);
	assert_false(fake.listens);
	assert_false(fake.watchdog_off);
}

/* --- tests --- */

static void whole_file_goes_to_its_place(void **state)
{
	(void)state;
	start(SIZE, SIZE);
	expect_ok(tftp_file_open(&file));
	assert_int_equal(file.size, SIZE);
	expect_read(0, SIZE, SIZE);
	expect_read(SIZE, 1, 0);
	assert_int_equal(fake.reads, 1);
	expect_nothing_held();
}

static void pieces_come_from_one_read(void **state)
{
	(void)state;
	start(SIZE, SIZE);
	expect_ok(tftp_file_open(&file));
	expect_read(0, 4096, 4096);
	assert_int_equal(fake.pages_held, 3);
	expect_read(4096, SIZE - 4096, SIZE - 4096);
	assert_int_equal(fake.pages_held, 0);
	expect_read(SIZE, 1, 0);
	assert_int_equal(fake.reads, 1);
	expect_nothing_held();
}

static void closed_in_the_middle(void **state)
{
	(void)state;
	start(SIZE, SIZE);
	expect_ok(tftp_file_open(&file));
	expect_read(0, 4096, 4096);
	expect_nothing_held();
}

static void empty_file(void **state)
{
	(void)state;
	start(0, 0);
	expect_ok(tftp_file_open(&file));
	expect_read(0, 1, 0);
	assert_int_equal(fake.reads, 0);
	expect_nothing_held();
}

static void file_that_comes_short(void **state)
{
	(void)state;
	start(SIZE, 5000);
	expect_ok(tftp_file_open(&file));
	expect_read(0, SIZE, 5000);
	expect_read(5000, SIZE - 5000, 0);
	assert_int_equal(fake.reads, 1);
	expect_nothing_held();
	start(SIZE, 5000);
	expect_ok(tftp_file_open(&file));
	expect_read(0, 4096, 4096);
	expect_read(4096, SIZE - 4096, 5000 - 4096);
	expect_read(5000, SIZE - 5000, 0);
	expect_nothing_held();
}

static void file_that_goes_on(void **state)
{
	uint64_t found;

	(void)state;
	start(SIZE, SIZE + 1);
	expect_ok(tftp_file_open(&file));
	assert_int_equal(read_at(0, SIZE, &found), KEXEC_MISMATCH);
	assert_string_equal(why, "more: it changed while it was read");
	assert_int_equal(read_at(0, 4096, &found), KEXEC_MISMATCH);
	assert_string_equal(why, "more: it changed while it was read");
	/* It does not retry, which would not help. */
	assert_int_equal(fake.reads, 2);
	expect_nothing_held();
}

static void answers_that_do_not_come(void **state)
{
	uint64_t found;

	(void)state;
	start(SIZE, SIZE);
	fake.fails_from = 1;
	fake.fails_count = 2;
	expect_ok(tftp_file_open(&file));
	fake.fails_from = 4;
	expect_read(0, SIZE, SIZE);
	assert_int_equal(fake.calls, 6);
	expect_nothing_held();

	start(SIZE, SIZE);
	fake.fails_from = 1;
	log_clear();
	assert_int_equal(tftp_file_open(&file), KEXEC_IO);
	assert_non_null(strstr(logged(), "/file: cannot open: expected the size of dir/file by TFTP, found TIMEOUT\n"));
	assert_int_equal(fake.calls, 3);

	start(SIZE, SIZE);
	expect_ok(tftp_file_open(&file));
	fake.fails_from = 2;
	assert_int_equal(read_at(0, 4096, &found), KEXEC_IO);
	assert_string_equal(why, "TIMEOUT");
	assert_int_equal(fake.calls, 4);
	expect_nothing_held();
}

static void server_that_says_why(void **state)
{
	(void)state;
	start(SIZE, SIZE);
	fake.status = EFI_TFTP_ERROR;
	fake.fails_from = 1;
	/* An error received before does not count. */
	mode.TftpErrorReceived = TRUE;
	expect_error(tftp_file_open(&file), KEXEC_NOT_FOUND, "by TFTP, found TFTP_ERROR\n");
	assert_int_equal(fake.calls, 1);
}

static void fake_error(uint8_t code, const char *text, size_t size)
{
	mode.TftpErrorReceived = TRUE;
	mode.TftpError.ErrorCode = code;
	memcpy(mode.TftpError.ErrorString, text, size);
}

static EFI_STATUS EFIAPI refuse(EFI_PXE_BASE_CODE_PROTOCOL *self, EFI_PXE_BASE_CODE_TFTP_OPCODE operation, VOID *place,
				BOOLEAN overwrite, UINT64 *size, UINTN *block_size, EFI_IP_ADDRESS *server, UINT8 *path,
				EFI_PXE_BASE_CODE_MTFTP_INFO *info, BOOLEAN no_buffer)
{
	(void)self;
	(void)operation;
	(void)place;
	(void)overwrite;
	(void)size;
	(void)block_size;
	(void)server;
	(void)path;
	(void)info;
	(void)no_buffer;
	fake.calls++;
	fake_error((uint8_t)fake.size, "File \x1b[2Jnot found", 18);
	return EFI_TFTP_ERROR;
}

static void error_of_the_server(void **state)
{
	EFI_PXE_BASE_CODE_PROTOCOL refusing = { .Mtftp = refuse, .Mode = &mode };

	(void)state;
	start(1, 0);
	file.pxe = &refusing;
	/* The text ends at the first control character. */
	expect_error(tftp_file_open(&file), KEXEC_NOT_FOUND,
		     "/file: cannot open: expected the size of dir/file by TFTP, found TFTP error 1: File \n");
	assert_int_equal(fake.calls, 1);
	start(2, 0);
	file.pxe = &refusing;
	expect_error(tftp_file_open(&file), KEXEC_NOT_FOUND, "found TFTP error 2: File \n");
}

static void no_memory_to_read_to(void **state)
{
	uint64_t found;

	(void)state;
	start(SIZE, SIZE);
	fake.no_memory = true;
	expect_ok(tftp_file_open(&file));
	assert_int_equal(read_at(0, 4096, &found), KEXEC_NO_MEMORY);
	assert_string_equal(why, "OUT_OF_RESOURCES");
	start(UINT64_MAX, SIZE);
	expect_ok(tftp_file_open(&file));
	assert_int_equal(read_at(0, 4096, &found), KEXEC_NO_MEMORY);
	expect_nothing_held();
}

static void progress_where_the_firmware_calls_back(void **state)
{
	(void)state;
	start(SIZE, SIZE);
	fake.calls_back = true;
	expect_ok(tftp_file_open(&file));
	expect_read(0, SIZE, SIZE);
	assert_in_range(fake.progress_lines, 1, 7);
	expect_nothing_held();
	/*
	 * Without callbacks the loader turns the watchdog off while it reads. expect_nothing_held checks that it is on
	 * again.
	 */
	start(SIZE, SIZE);
	expect_ok(tftp_file_open(&file));
	expect_read(0, SIZE, SIZE);
	assert_int_equal(fake.progress_lines, 0);
	expect_nothing_held();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file_goes_to_its_place),
		cmocka_unit_test(pieces_come_from_one_read),
		cmocka_unit_test(closed_in_the_middle),
		cmocka_unit_test(empty_file),
		cmocka_unit_test(file_that_comes_short),
		cmocka_unit_test(file_that_goes_on),
		cmocka_unit_test(answers_that_do_not_come),
		cmocka_unit_test(server_that_says_why),
		cmocka_unit_test(error_of_the_server),
		cmocka_unit_test(no_memory_to_read_to),
		cmocka_unit_test(progress_where_the_firmware_calls_back),
	};

	return run_named_tests(tests);
}
