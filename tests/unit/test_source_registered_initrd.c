// SPDX-License-Identifier: BSD-2-Clause
/* An initrd that the program before us has registered, and that reports wrong sizes and errors. */
#include "efi/source/registered_initrd.h"

#include "efi/services/firmware.h"
#include "tests/unit/support.h"

static const char content[] = "0123456789";

static struct {
	EFI_STATUS locate_status;
	bool has_protocol;
	EFI_STATUS size_status; /* of the call without a buffer */
	UINTN said_size;
	EFI_STATUS load_status;
	UINTN loaded_size; /* the size that the load reports */
	EFI_STATUS allocate_status;
	unsigned loads;
	UINTN pages_held;
} fake;

static uint8_t page[8192];
static EFI_SYSTEM_TABLE system_table;
static struct registered_initrd initrd;
static struct source_file file;

static EFI_STATUS EFIAPI load_file(EFI_LOAD_FILE_PROTOCOL *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy,
				   UINTN *size, void *buffer)
{
	(void)self;
	/* Of the path only its end is left; and UEFI forbids a boot policy here. */
	assert_int_equal(path->Type, END_DEVICE_PATH_TYPE);
	assert_int_equal(path->SubType, END_ENTIRE_DEVICE_PATH_SUBTYPE);
	assert_false(boot_policy);
	if (!buffer) {
		assert_int_equal(*size, 0);
		*size = fake.said_size;
		return fake.size_status;
	}
	fake.loads++;
	assert_int_equal(*size, fake.said_size);
	if (!EFI_ERROR(fake.load_status))
		memcpy(buffer, content, sizeof(content) - 1);
	*size = fake.loaded_size;
	return fake.load_status;
}

static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH **path, EFI_HANDLE *ret_handle)
{
	static const uint8_t vendor[] = { 4,	3,    20,   0,	  0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68,
					  0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 };

	(void)guid;
	assert_memory_equal(*path, vendor, sizeof(vendor));
	if (EFI_ERROR(fake.locate_status))
		return fake.locate_status;
	*path = (EFI_DEVICE_PATH *)((uint8_t *)*path + sizeof(vendor));
	*ret_handle = &fake;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
	static EFI_LOAD_FILE_PROTOCOL protocol = { .LoadFile = load_file };

	(void)guid;
	assert_ptr_equal(handle, &fake);
	if (!fake.has_protocol)
		return EFI_UNSUPPORTED;
	*ret_interface = &protocol;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages,
					EFI_PHYSICAL_ADDRESS *ret_addr)
{
	assert_int_equal(how, AllocateAnyPages);
	assert_int_equal(type, EfiLoaderData);
	if (EFI_ERROR(fake.allocate_status))
		return fake.allocate_status;
	fake.pages_held += pages;
	*ret_addr = (uintptr_t)page;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN pages)
{
	assert_int_equal(addr, (uintptr_t)page);
	fake.pages_held -= pages;
	return EFI_SUCCESS;
}

/* An initrd without faults. */
static void start(void)
{
	static EFI_BOOT_SERVICES boot_services = {
		.LocateDevicePath = locate_device_path,
		.HandleProtocol = handle_protocol,
		.AllocatePages = allocate_pages,
		.FreePages = free_pages,
	};

	memset(&fake, 0, sizeof(fake));
	fake.has_protocol = true;
	fake.size_status = EFI_BUFFER_TOO_SMALL;
	fake.said_size = sizeof(content) - 1;
	fake.loaded_size = sizeof(content) - 1;
	system_table.BootServices = &boot_services;
	firmware_system_table = &system_table;
	firmware_boot_services = &boot_services;
	registered_initrd_start(&initrd);
}

static enum kexec_status open_initrd(void)
{
	return initrd.source.open(&initrd.source, REGISTERED_INITRD, &file);
}

static enum kexec_status read_at(uint64_t offset, uint64_t *size, char ret_bytes[16], const char **ret_why)
{
	return initrd.source.read(&file, offset, ret_bytes, size, ret_why);
}

static void expect_none(void)
{
	uint64_t size = 1;

	expect_ok(registered_initrd_size(&initrd, &size));
	assert_int_equal(size, 0);
	assert_string_equal(logged(), "");
}

static void pieces_of_one_that_tells_the_truth(void **state)
{
	uint64_t size = 0;
	char bytes[16];
	const char *why;

	(void)state;
	start();
	expect_ok(registered_initrd_size(&initrd, &size));
	assert_int_equal(size, 10);
	expect_ok(open_initrd());
	assert_int_equal(file.size, 10);
	size = 4;
	expect_ok(read_at(0, &size, bytes, &why));
	assert_int_equal(size, 4);
	assert_memory_equal(bytes, "0123", 4);
	size = 16;
	expect_ok(read_at(4, &size, bytes, &why));
	assert_int_equal(size, 6);
	assert_memory_equal(bytes, "456789", 6);
	size = 1;
	expect_ok(initrd.source.reopen(&file, 10));
	expect_ok(read_at(10, &size, bytes, &why));
	assert_int_equal(size, 0);
	assert_int_equal(fake.loads, 1);
	assert_int_equal(fake.pages_held, 1);
	initrd.source.close(&file);
	initrd.source.close(&file);
	assert_int_equal(fake.pages_held, 0);
}

static void nothing_registered(void **state)
{
	(void)state;
	start();
	fake.locate_status = EFI_NOT_FOUND;
	registered_initrd_start(&initrd);
	expect_none();
	start();
	fake.has_protocol = false;
	registered_initrd_start(&initrd);
	expect_none();
	start();
	fake.size_status = EFI_NOT_FOUND;
	expect_none();
	start();
	fake.said_size = 0;
	expect_none();
	fake.size_status = EFI_SUCCESS;
	expect_none();
}

static void no_answer_about_its_size(void **state)
{
	uint64_t size;

	(void)state;
	start();
	fake.size_status = EFI_DEVICE_ERROR;
	expect_error(registered_initrd_size(&initrd, &size), KEXEC_IO,
		     "registered initrd: cannot tell its size: expected BUFFER_TOO_SMALL, found DEVICE_ERROR");
	fake.size_status = EFI_SUCCESS;
	expect_error(registered_initrd_size(&initrd, &size), KEXEC_IO, "found SUCCESS");
}

static void expect_read_failure(enum kexec_status status, const char *expected_why)
{
	uint64_t size = 4;
	char bytes[16];
	const char *why;

	expect_ok(open_initrd());
	/* A retry returns the same error. */
	for (int tries = 0; tries < 2; tries++) {
		assert_int_equal(read_at(0, &size, bytes, &why), status);
		assert_string_equal(why, expected_why);
		assert_int_equal(fake.pages_held, 0);
	}
	initrd.source.close(&file);
	assert_int_equal(fake.pages_held, 0);
}

static void reading_fails(void **state)
{
	(void)state;
	start();
	fake.load_status = EFI_DEVICE_ERROR;
	expect_read_failure(KEXEC_IO, "DEVICE_ERROR");
	start();
	fake.allocate_status = EFI_OUT_OF_RESOURCES;
	expect_read_failure(KEXEC_NO_MEMORY, "OUT_OF_RESOURCES");
}

static void size_that_was_a_lie(void **state)
{
	uint64_t size = 16;
	char bytes[16];
	const char *why;

	(void)state;
	start();
	fake.loaded_size = 11;
	expect_read_failure(KEXEC_IO, "more than it said before");
	/* If fewer bytes are loaded, it ends early, as a file would. */
	start();
	fake.loaded_size = 3;
	expect_ok(open_initrd());
	expect_ok(read_at(0, &size, bytes, &why));
	assert_int_equal(size, 3);
	initrd.source.close(&file);
}

static void compared_with_what_was_loaded(void **state)
{
	(void)state;
	start();
	expect_ok(open_initrd());
	expect_ok(registered_initrd_expect(&initrd, content, "/a"));
	expect_error(registered_initrd_expect(&initrd, "0123456788", "/a"), KEXEC_MISMATCH,
		     "registered initrd: expected the bytes of /a, which has the same size, found others");
	initrd.source.close(&file);
	/* Once its twin has been loaded, it is closed and holds nothing. */
	expect_ok(registered_initrd_expect(&initrd, content, "/a"));
	assert_int_equal(fake.pages_held, 0);
	fake.load_status = EFI_DEVICE_ERROR;
	expect_ok(open_initrd());
	expect_error(registered_initrd_expect(&initrd, content, "/a"), KEXEC_IO,
		     "registered initrd: cannot read: expected 10 bytes, found DEVICE_ERROR");
	initrd.source.close(&file);
	fake.load_status = EFI_SUCCESS;
	fake.loaded_size = 3;
	expect_ok(open_initrd());
	expect_error(registered_initrd_expect(&initrd, content, "/a"), KEXEC_MISMATCH, "found others");
	initrd.source.close(&file);
	assert_int_equal(fake.pages_held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_one_that_tells_the_truth),
		cmocka_unit_test(nothing_registered),
		cmocka_unit_test(no_answer_about_its_size),
		cmocka_unit_test(reading_fails),
		cmocka_unit_test(size_that_was_a_lie),
		cmocka_unit_test(compared_with_what_was_loaded),
	};

	return run_named_tests(tests);
}
