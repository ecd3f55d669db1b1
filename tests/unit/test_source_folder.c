// SPDX-License-Identifier: BSD-2-Clause
/* Folders of firmware that fails, lies, and never ends a listing. */
#include "efi/source/folder.h"

#include <stdio.h>

#include "boot/sidecar.h"
#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

struct entry {
	const char *name;
	uint64_t attribute;
};

static const struct entry usual[] = {
	{ ".", EFI_FILE_DIRECTORY }, { "..", EFI_FILE_DIRECTORY }, { "b.cred", 0 },	 { "a.cred", 0 },
	{ "B.cred", 0 },	     { "folder.raw", EFI_FILE_DIRECTORY }, { ".hidden.cred", 0 }, { "\xe4.cred", 0 },
	{ "x/../../init.cred", 0 },
};

static struct {
	const struct entry *entries;
	size_t count;
	size_t next;
	bool never_ends;
	uint64_t attribute; /* the folder's */
	unsigned fails_at;  /* the Nth call returns `status`, counted from 1; 0: none */
	unsigned calls;
	EFI_STATUS status;
	UINTN size_lie; /* the size that Read reports for an entry */
	bool has_no_nul;
	unsigned held;
	bool is_there;
} fake;

static struct _EFI_FILE_HANDLE handle;

static bool fails(void)
{
	return ++fake.calls == fake.fails_at;
}

static EFI_STATUS EFIAPI close_folder(EFI_FILE_HANDLE file)
{
	assert_ptr_equal(file, &handle);
	fake.held--;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_info(EFI_FILE_HANDLE file, EFI_GUID *guid, UINTN *size, void *buffer)
{
	EFI_FILE_INFO *info = buffer;

	(void)guid;
	assert_ptr_equal(file, &handle);
	if (fails())
		return fake.status;
	assert_true(*size >= sizeof(*info));
	memset(info, 0, sizeof(*info));
	info->Attribute = fake.attribute;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_folder(EFI_FILE_HANDLE file, UINTN *size, void *buffer)
{
	const struct entry *entry = &fake.entries[fake.next];
	EFI_FILE_INFO *info = buffer;
	size_t length;
	UINTN needed;

	assert_ptr_equal(file, &handle);
	if (fails())
		return fake.status;
	if (fake.next == fake.count) {
		*size = 0;
		return EFI_SUCCESS;
	}
	length = strlen(entry->name);
	needed = SIZE_OF_EFI_FILE_INFO + 2 * (length + (fake.has_no_nul ? 0 : 1));
	if (*size < needed) {
		*size = needed;
		return EFI_BUFFER_TOO_SMALL;
	}
	memset(buffer, 0xff, *size);
	*size = fake.size_lie ? fake.size_lie : needed;
	info->Attribute = entry->attribute;
	for (size_t i = 0; i < length + (fake.has_no_nul ? 0 : 1); i++)
		info->FileName[i] = (CHAR16)(uint8_t)entry->name[i];
	fake.next += fake.never_ends ? 0 : 1;
	return EFI_SUCCESS;
}

/* Replaces efi/source/volume.c. */
enum kexec_status volume_open_folder(struct volume *volume, const char *path, EFI_FILE_HANDLE *ret_handle)
{
	assert_null(volume);
	assert_string_equal(path, "/d");
	*ret_handle = fake.is_there ? &handle : NULL;
	fake.held += fake.is_there;
	return KEXEC_OK;
}

/* A slow volume must not make the watchdog end the boot. */
static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)code, (void)size, (void)data;
	assert_true(seconds);
	return EFI_SUCCESS;
}

static struct folder folder;

static void start(const struct entry *entries, size_t count)
{
	static EFI_SYSTEM_TABLE system_table;
	static EFI_BOOT_SERVICES boot_services = { .SetWatchdogTimer = set_watchdog };

	system_table.BootServices = &boot_services;
	firmware_init(NULL, &system_table);
	handle = (struct _EFI_FILE_HANDLE){ .Close = close_folder, .Read = read_folder, .GetInfo = get_info };
	memset(&fake, 0, sizeof(fake));
	fake.entries = entries;
	fake.count = count;
	fake.attribute = EFI_FILE_DIRECTORY;
	fake.status = EFI_DEVICE_ERROR;
	fake.is_there = true;
	memset(&folder, 0, sizeof(folder));
	log_clear();
}

static void expect_names(const char *expected)
{
	char found[500] = "";
	size_t length = 0;

	for (struct folder_name *name = folder.names; name; name = name->next)
		length += (size_t)snprintf(found + length, sizeof(found) - length, "%s ", name->text);
	assert_string_equal(found, expected);
	folder_free(&folder);
	folder_free(&folder);
	assert_int_equal(fake.held, 0);
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void expect_refused(enum kexec_status status, const char *line)
{
	expect_error(folder_list(NULL, "/d", &folder), status, line);
	expect_names("");
}

static void files_are_sorted_and_others_left_out(void **state)
{
	(void)state;
	start(usual, ARRAY_SIZE(usual));
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("B.cred a.cred b.cred ");
	assert_string_equal(logged(), "");
}

static void no_folder(void **state)
{
	(void)state;
	start(usual, ARRAY_SIZE(usual));
	fake.is_there = false;
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("");
	start(NULL, 0);
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("");
	assert_string_equal(logged(), "");
}

static void file_instead_of_a_folder(void **state)
{
	(void)state;
	start(usual, ARRAY_SIZE(usual));
	fake.attribute = 0;
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("");
	assert_string_equal(logged(), "warning: /d: expected a folder, found a file: nothing is taken from it\n");
}

static void each_call_fails_in_turn(void **state)
{
	(void)state;
	start(usual, ARRAY_SIZE(usual));
	fake.fails_at = 1;
	expect_refused(KEXEC_IO, "/d: cannot tell whether it is a folder: DEVICE_ERROR");
	for (unsigned i = 2; i <= 2 + ARRAY_SIZE(usual); i++) {
		start(usual, ARRAY_SIZE(usual));
		fake.fails_at = i;
		expect_refused(KEXEC_IO, "/d: cannot list: expected an entry, found DEVICE_ERROR");
	}
}

static void no_memory_for_a_name(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		start(usual, ARRAY_SIZE(usual));
		fake_pool_fail_at(i);
		expect_refused(KEXEC_NO_MEMORY, "/d");
	}
}

static void listing_that_never_ends(void **state)
{
	static const struct entry dot = { ".", EFI_FILE_DIRECTORY };

	(void)state;
	start(usual + 3, 1);
	fake.never_ends = true;
	expect_refused(KEXEC_TOO_LARGE, "/d: expected a folder of at most 4096 entries, found more");
	assert_int_equal(fake.calls, 1 + FOLDER_ENTRIES_MAX + 1);
	start(&dot, 1);
	fake.never_ends = true;
	expect_refused(KEXEC_TOO_LARGE, "/d: expected a folder of at most 4096 entries, found more");
}

static void largest_folder(void **state)
{
	static struct entry entries[FOLDER_ENTRIES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct entry){ .name = i == 17 ? "x.raw" : ".", .attribute = 0 };
	start(entries, ARRAY_SIZE(entries));
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("x.raw ");
}

static void sizes_that_are_lies(void **state)
{
	static const UINTN lies[] = { 1, SIZE_OF_EFI_FILE_INFO, 2049, UINTPTR_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		char line[120];

		start(usual, ARRAY_SIZE(usual));
		fake.size_lie = lies[i];
		snprintf(line, sizeof(line), "/d: cannot list: expected entries of 81 to 2048 bytes, found %zu", (size_t)lies[i]);
		expect_refused(KEXEC_IO, line);
	}
}

/* Bytes behind the reported size do not count, with or without a NUL. */
static void name_ends_with_the_entry(void **state)
{
	(void)state;
	start(usual + 2, 2);
	fake.has_no_nul = true;
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("a.cred b.cred ");
	start(usual + 2, 1);
	fake.size_lie = SIZE_OF_EFI_FILE_INFO + 2 * 3;
	expect_ok(folder_list(NULL, "/d", &folder));
	expect_names("b.c ");
}

static void names_longer_than_linux_has(void **state)
{
	static char longest[SIDECAR_NAME_MAX + 1];
	static char longer[SIDECAR_NAME_MAX + 2];
	static char larger[2000];
	const struct entry entries[] = { { longest, 0 }, { longer, 0 } };
	const struct entry large = { larger, 0 };

	(void)state;
	memset(longest, 'a', SIDECAR_NAME_MAX);
	memset(longer, 'b', SIDECAR_NAME_MAX + 1);
	memset(larger, 'c', sizeof(larger) - 1);
	start(entries, 2);
	expect_ok(folder_list(NULL, "/d", &folder));
	assert_string_equal(folder.names->text, longest);
	assert_null(folder.names->next);
	folder_free(&folder);
	start(&large, 1);
	expect_refused(KEXEC_IO, "/d: cannot list: expected entries of 81 to 2048 bytes, found 4080");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_sorted_and_others_left_out),
		cmocka_unit_test(no_folder),
		cmocka_unit_test(file_instead_of_a_folder),
		cmocka_unit_test(each_call_fails_in_turn),
		cmocka_unit_test(no_memory_for_a_name),
		cmocka_unit_test(listing_that_never_ends),
		cmocka_unit_test(largest_folder),
		cmocka_unit_test(sizes_that_are_lies),
		cmocka_unit_test(name_ends_with_the_entry),
		cmocka_unit_test(names_longer_than_linux_has),
	};

	return run_named_tests(tests);
}
