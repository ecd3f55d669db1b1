// SPDX-License-Identifier: BSD-2-Clause
/* Files on a volume, with firmware that fails at each call in turn. */
#include "efi/source/volume.h"

#include "boot/volume_path.h"
#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

/* --- a volume with one file --- */

static const char content[] = "0123456789";

static struct {
	EFI_STATUS status; /* the result of the Nth call, counted from 1 */
	unsigned fails_at; /* 0: none */
	unsigned calls;
	unsigned held;	/* open handles */
	char path[600]; /* the last path opened, in ASCII */
	uint64_t attribute;
	uint64_t position;
	bool has_image; /* a file exists at our image's path */
} fake;

static struct _EFI_FILE_HANDLE root;
static struct _EFI_FILE_HANDLE file_handle;
static EFI_SYSTEM_TABLE system_table;

static bool fails(void)
{
	return ++fake.calls == fake.fails_at;
}

static EFI_STATUS EFIAPI open_file(EFI_FILE_HANDLE from, EFI_FILE_HANDLE *ret_file, CHAR16 *path, UINT64 mode,
				   UINT64 attributes)
{
	size_t length = 0;

	assert_ptr_equal(from, &root);
	assert_int_equal(mode, EFI_FILE_MODE_READ);
	assert_int_equal(attributes, 0);
	for (; path[length]; length++)
		fake.path[length] = (char)path[length];
	fake.path[length] = '\0';
	if (strcmp(fake.path, "\\k") == 0 && !fake.has_image)
		return EFI_NOT_FOUND;
	if (fails())
		return fake.status;
	fake.held++;
	fake.position = 0;
	*ret_file = &file_handle;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_file(EFI_FILE_HANDLE file)
{
	(void)file;
	assert_true(fake.held);
	fake.held--;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_file(EFI_FILE_HANDLE file, UINTN *size, void *buffer)
{
	uint64_t left = sizeof(content) - 1 - fake.position;

	assert_ptr_equal(file, &file_handle);
	if (fails())
		return fake.status;
	if (*size > left)
		*size = left;
	memcpy(buffer, content + fake.position, *size);
	fake.position += *size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_info(EFI_FILE_HANDLE file, EFI_GUID *type, UINTN *size, void *buffer)
{
	EFI_FILE_INFO *info = buffer;

	(void)type;
	assert_ptr_equal(file, &file_handle);
	if (fails())
		return fake.status;
	assert_true(*size >= sizeof(*info));
	memset(info, 0, sizeof(*info));
	info->FileSize = sizeof(content) - 1;
	info->Attribute = fake.attribute;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_position(EFI_FILE_HANDLE file, UINT64 position)
{
	assert_ptr_equal(file, &file_handle);
	if (fails())
		return fake.status;
	fake.position = position;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_volume(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *self, EFI_FILE_HANDLE *ret_root)
{
	(void)self;
	if (fails())
		return fake.status;
	fake.held++;
	*ret_root = &root;
	return EFI_SUCCESS;
}

/* A GPT partition whose PARTUUID is zeros and 7f; and our image's path on it. */
static uint8_t device_path[42 + 4] = { 4, 1, 42, [24 + 15] = 0x7f, [41] = 2, [42] = 0x7f, 0xff, 4 };
static uint8_t image_path_nodes[] = { 4, 4, 12, 0, '\\', 0, 'k', 0, 0, 0, 0, 0, 0x7f, 0xff, 4, 0 };

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
	static const EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;
	static const EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
	static EFI_SIMPLE_FILE_SYSTEM_PROTOCOL file_system = { .OpenVolume = open_volume };
	static EFI_LOADED_IMAGE image;

	if (memcmp(guid, &image_guid, sizeof(image_guid)) == 0) {
		image.FilePath = (EFI_DEVICE_PATH *)image_path_nodes;
		*ret_interface = &image;
		return EFI_SUCCESS;
	}
	if (!handle)
		return EFI_INVALID_PARAMETER;
	assert_ptr_equal(handle, &fake);
	if (memcmp(guid, &path_guid, sizeof(path_guid)) == 0) {
		*ret_interface = device_path;
		return EFI_SUCCESS;
	}
	if (fails())
		return fake.status;
	*ret_interface = &file_system;
	return EFI_SUCCESS;
}

/* No driver supports the device. */
static EFI_STATUS EFIAPI connect(EFI_HANDLE handle, EFI_HANDLE *drivers, EFI_DEVICE_PATH *rest, BOOLEAN recursive)
{
	(void)drivers, (void)rest, (void)recursive;
	assert_ptr_equal(handle, &fake);
	return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI get_label(EFI_FILE_HANDLE file, EFI_GUID *guid, UINTN *size, void *buffer)
{
	assert_ptr_equal(file, &root);
	(void)guid;
	*size = 8;
	memcpy(buffer, L"E\nP", 8);
	return EFI_SUCCESS;
}

static struct volume volume;
static struct source_file file;

static void start(void)
{
	static EFI_BOOT_SERVICES boot_services = { .HandleProtocol = handle_protocol, .ConnectController = connect };

	root = (struct _EFI_FILE_HANDLE){ .Open = open_file, .Close = close_file, .GetInfo = get_label };
	file_handle = (struct _EFI_FILE_HANDLE){
		.Close = close_file, .Read = read_file, .GetInfo = get_info, .SetPosition = set_position
	};
	memset(&fake, 0, sizeof(fake));
	fake.status = EFI_DEVICE_ERROR;
	fake.has_image = true;
	system_table.BootServices = &boot_services;
	if (!system_table.Hdr.Revision)
		system_table.Hdr.Revision = 2u << 16 | 70;
	firmware_init(NULL, &system_table);
	volume_start(&volume, &fake, VOLUME_OWN);
}

static enum kexec_status open_path(const char *path)
{
	memset(&file, 0, sizeof(file));
	return volume.source.open(&volume.source, path, &file);
}

static void expect_nothing_held(void)
{
	assert_null(file.handle);
	volume_close(&volume);
	assert_int_equal(fake.held, 0);
	volume_close(&volume);
	assert_int_equal(fake.held, 0);
}

/* --- tests --- */

static void file_is_opened_read_and_closed(void **state)
{
	char buffer[32];
	uint64_t size = sizeof(buffer);
	const char *why;

	(void)state;
	start();
	expect_ok(open_path("/a/b\\c"));
	assert_string_equal(fake.path, "\\a\\b\\c");
	assert_int_equal(file.size, 10);
	assert_ptr_equal(file.source, &volume.source);
	expect_ok(volume.source.read(&file, 0, buffer, &size, &why));
	assert_int_equal(size, 10);
	assert_memory_equal(buffer, content, 10);
	expect_ok(volume.source.read(&file, 10, buffer, &size, &why));
	assert_int_equal(size, 0);
	volume.source.close(&file);
	volume.source.close(&file);
	expect_nothing_held();
	assert_string_equal(logged(), "");
}

static void volume_is_opened_once(void **state)
{
	struct source_file first;

	(void)state;
	start();
	assert_int_equal(fake.calls, 0);
	expect_ok(open_path("/a"));
	first = file;
	expect_ok(open_path("/b"));
	/* The protocol, the volume, and for each file its handle and its size. */
	assert_int_equal(fake.calls, 2 + 2 * 2);
	volume.source.close(&file);
	volume.source.close(&first);
	expect_nothing_held();
}

#define NAME "00000000-0000-0000-0000-00000000007f"
#define NAME_AND_LABEL NAME " \"E?P\""

static void each_call_fails_in_turn(void **state)
{
	static const struct {
		enum kexec_status status;
		const char *line;
	} expected[] = {
		/* The call before it asks for the file system. The loader retries that one after connecting drivers. */
		{ KEXEC_IO,
		  "cannot open the volume " NAME ": expected a file system that this firmware reads (GRUB reads "
		  "more), found DEVICE_ERROR; volume= in the load options names another" },
		{ KEXEC_IO, "/a: cannot open: expected a file, found DEVICE_ERROR on the volume " NAME_AND_LABEL "\n" },
		{ KEXEC_IO, "/a: cannot tell its size: DEVICE_ERROR" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		start();
		fake.fails_at = i + 2;
		expect_error(open_path("/a"), expected[i].status, expected[i].line);
		expect_nothing_held();
		/* A retry succeeds. */
		expect_ok(open_path("/a"));
		volume.source.close(&file);
		expect_nothing_held();
	}
}

static void file_system_that_a_driver_brings(void **state)
{
	(void)state;
	start();
	fake.fails_at = 1;
	expect_ok(open_path("/a"));
	assert_int_equal(fake.calls, 5);
	volume.source.close(&file);
	expect_nothing_held();
}

static void nobody_says_which_volume(void **state)
{
	(void)state;
	start();
	volume_start(&volume, NULL, VOLUME_OWN);
	expect_error(
		open_path("/a"), KEXEC_IO,
		"cannot open the volume of no device (DeviceHandle is NULL): expected a file system that this firmware "
		"reads (GRUB reads more), found INVALID_PARAMETER; volume= in the load options names another");
	expect_nothing_held();
}

/* The file is missing; `has_image` is whether our image is on that volume. */
static void expect_not_found(const char *path, bool has_image, enum volume_role role, const char *line)
{
	start();
	volume_start(&volume, &fake, role);
	fake.has_image = has_image;
	fake.fails_at = 3;
	fake.status = EFI_NOT_FOUND;
	expect_error(open_path(path), KEXEC_NOT_FOUND, line);
	expect_nothing_held();
	log_clear();
}

#define NOT_FOUND ": cannot open: expected a file, found NOT_FOUND on the volume " NAME_AND_LABEL
#define ELSEWHERE ", where this program is not either: GRUB passes its $root as the volume, so set root to the program's\n"
#define WITHOUT_BOOT ": paths begin at the volume's root, without /boot\n"

static void file_that_is_not_there(void **state)
{
	(void)state;
	expect_not_found("/a", true, VOLUME_OWN, "/a" NOT_FOUND "\n");
	expect_not_found("/a", false, VOLUME_OWN, "/a" NOT_FOUND ELSEWHERE);
	expect_not_found("/a", false, VOLUME_OTHER, "/a" NOT_FOUND "\n");
	expect_not_found("/boot/a", true, VOLUME_OWN, "/boot/a" NOT_FOUND WITHOUT_BOOT);
	/* The message names one remedy: the path may be right on the program's own volume. */
	expect_not_found("/boot/a", false, VOLUME_OWN, "/boot/a" NOT_FOUND ELSEWHERE);
}

static void read_that_fails_says_why_and_logs_nothing(void **state)
{
	char buffer[4];
	uint64_t size = sizeof(buffer);
	const char *why;

	(void)state;
	start();
	expect_ok(open_path("/a"));
	fake.fails_at = fake.calls + 1;
	fake.status = EFI_BAD_BUFFER_SIZE;
	assert_int_equal(volume.source.read(&file, 0, buffer, &size, &why), KEXEC_TOO_LARGE);
	assert_string_equal(why, "BAD_BUFFER_SIZE");
	assert_string_equal(logged(), "");
	volume.source.close(&file);
	expect_nothing_held();
}

static void file_is_opened_anew_where_it_was_read_to(void **state)
{
	char buffer[4];
	uint64_t size = sizeof(buffer);
	const char *why;

	(void)state;
	start();
	expect_ok(open_path("/a"));
	expect_ok(volume.source.reopen(&file, 6));
	assert_int_equal(fake.held, 2);
	expect_ok(volume.source.read(&file, 6, buffer, &size, &why));
	assert_memory_equal(buffer, "6789", 4);

	fake.fails_at = fake.calls + 2;
	expect_error(volume.source.reopen(&file, 6), KEXEC_IO, "/a: cannot go on at byte 6: DEVICE_ERROR");
	fake.fails_at = fake.calls + 1;
	expect_error(volume.source.reopen(&file, 6), KEXEC_IO,
		     "/a: cannot open: expected a file, found DEVICE_ERROR on");
	expect_nothing_held();
}

static void directory(void **state)
{
	(void)state;
	start();
	fake.attribute = EFI_FILE_DIRECTORY;
	expect_error(open_path("/a"), KEXEC_NOT_FOUND, "/a: expected a file, found a directory");
	expect_nothing_held();
}

static void paths_that_no_file_has(void **state)
{
	char path[513];

	(void)state;
	start();
	expect_error(open_path("/a\xff"), KEXEC_BAD_FORMAT, "expected a path in UTF-8, found other bytes");
	memset(path, 'x', sizeof(path));
	path[0] = '\\';
	path[511] = '\0';
	expect_ok(open_path(path));
	assert_string_equal(fake.path, path);
	volume.source.close(&file);
	path[511] = 'x';
	path[512] = '\0';
	expect_error(open_path(path), KEXEC_TOO_LARGE, "...: expected a path of at most 511 bytes, found 512");
	expect_nothing_held();
}

#define VOLUME " on the volume 00000000-0000-0000-0000-00000000007f \"E?P\""

static void expect_not_opened(EFI_STATUS found, enum kexec_status status, const char *path, const char *line)
{
	start();
	fake.status = found;
	fake.fails_at = 3;
	expect_error(open_path(path), status, line);
	expect_nothing_held();
}

/* Only missing files get the message, whichever error the firmware returns for them. */
static void file_that_is_not_there_and_why(void **state)
{
	(void)state;
	expect_not_opened(EFI_NOT_FOUND, KEXEC_NOT_FOUND, "/a",
			  "/a: cannot open: expected a file, found NOT_FOUND" VOLUME "\n");
	expect_not_opened(EFI_NOT_FOUND, KEXEC_NOT_FOUND, "/boot/a",
			  "/boot/a: cannot open: expected a file, found NOT_FOUND" VOLUME
			  ": paths begin at the volume's root");
	expect_not_opened(EFI_INVALID_PARAMETER, status_from_efi(EFI_INVALID_PARAMETER), "\"/a",
			  "found INVALID_PARAMETER" VOLUME ": a path has no quotes\n");
	expect_not_opened(EFI_DEVICE_ERROR, KEXEC_IO, "/boot/a", "found DEVICE_ERROR" VOLUME "\n");
}

static void large_reads_from_uefi_2_4_on(void **state)
{
	(void)state;
	start();
	assert_true(volume.source.bears_large_reads);
	system_table.Hdr.Revision = 2u << 16 | 40;
	start();
	assert_true(volume.source.bears_large_reads);
	system_table.Hdr.Revision = 2u << 16 | 31;
	start();
	assert_false(volume.source.bears_large_reads);
}

static EFI_FILE_HANDLE open_folder(void)
{
	EFI_FILE_HANDLE handle = &root;

	expect_ok(volume_open_folder(&volume, "/a/b.extra.d", &handle));
	return handle;
}

static void folder_is_opened(void **state)
{
	(void)state;
	start();
	assert_ptr_equal(open_folder(), &file_handle);
	assert_string_equal(fake.path, "\\a\\b.extra.d");
	file_handle.Close(&file_handle);
	expect_nothing_held();
	assert_string_equal(logged(), "");
}

/* The file is optional, so its absence is no error. */
static void folder_that_is_not_there(void **state)
{
	static const EFI_STATUS found[] = { EFI_NOT_FOUND, EFI_INVALID_PARAMETER };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		start();
		fake.status = found[i];
		fake.fails_at = 3;
		assert_null(open_folder());
		expect_nothing_held();
	}
	/* There is no file system, as on the device of a network boot. */
	start();
	fake.fails_at = 2;
	assert_null(open_folder());
	expect_nothing_held();
	start();
	volume_start(&volume, NULL, VOLUME_OWN);
	assert_null(open_folder());
	expect_nothing_held();
	assert_string_equal(logged(), "");
}

static void folder_that_cannot_be_opened(void **state)
{
	(void)state;
	start();
	fake.fails_at = 3;
	assert_null(open_folder());
	assert_string_equal(logged(), "warning: /a/b.extra.d: cannot open: expected a folder or none, found DEVICE_ERROR: "
				      "nothing is taken from it\n");
	expect_nothing_held();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_opened_read_and_closed),
		cmocka_unit_test(volume_is_opened_once),
		cmocka_unit_test(each_call_fails_in_turn),
		cmocka_unit_test(file_system_that_a_driver_brings),
		cmocka_unit_test(nobody_says_which_volume),
		cmocka_unit_test(file_that_is_not_there),
		cmocka_unit_test(read_that_fails_says_why_and_logs_nothing),
		cmocka_unit_test(file_is_opened_anew_where_it_was_read_to),
		cmocka_unit_test(directory),
		cmocka_unit_test(paths_that_no_file_has),
		cmocka_unit_test(file_that_is_not_there_and_why),
		cmocka_unit_test(large_reads_from_uefi_2_4_on),
		cmocka_unit_test(folder_is_opened),
		cmocka_unit_test(folder_that_is_not_there),
		cmocka_unit_test(folder_that_cannot_be_opened),
	};

	return run_named_tests(tests);
}
