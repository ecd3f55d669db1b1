// SPDX-License-Identifier: BSD-2-Clause
/* A machine with two disks, of which the firmware knows all or only a part. */
#include "efi/volumes/find_volume.h"

#include "boot/gpt.h"
#include "common/align.h"
#include "efi/services/firmware.h"
#include "efi/volumes/volume_name.h"
#include "tests/unit/gpt_builder.h"
#include "tests/unit/support.h"

/* --- the machine --- */

#define UUID(last) "00000000-0000-0000-0000-0000000000" last

enum {
	DISK_SIZE = 6, /* of the single node that leads to a disk */
	PATH_SIZE = DISK_SIZE + 42 + 4,
	DEVICES_MAX = 8,
};

struct device {
	uint8_t path[PATH_SIZE];
	bool is_hidden; /* until the controller is connected */
	bool has_blocks;
	bool has_files;
	bool gets_files; /* when it is connected */
};

static struct device devices[DEVICES_MAX];
static size_t device_count;
static struct gpt_disk disk;
static EFI_BLOCK_IO block_io;
static EFI_BLOCK_IO_MEDIA media;
static EFI_PCI_IO_PROTOCOL pci_io_protocol;
static uint16_t pci_class;
static unsigned connected;
static int outstanding; /* lists and pages not freed yet */
static unsigned reads;
static unsigned read_fails_at;

static const EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;
static const EFI_GUID block_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static const EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;
static const EFI_GUID files_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

static bool same(const EFI_GUID *a, const EFI_GUID *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* A handle for the controller of both disks. */
static const EFI_HANDLE controller = &pci_class;

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
	struct device *device = handle;

	*ret_interface = NULL;
	if (handle == controller) {
		*ret_interface = same(guid, &pci_guid) ? &pci_io_protocol : NULL;
	} else if (same(guid, &path_guid)) {
		*ret_interface = device->path;
	} else if (same(guid, &block_guid) && device->has_blocks) {
		*ret_interface = &block_io;
	} else if (same(guid, &files_guid) && device->has_files) {
		*ret_interface = device;
	}
	return *ret_interface ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key, UINTN *ret_count,
					EFI_HANDLE **ret_handles)
{
	EFI_HANDLE *handles = malloc((DEVICES_MAX + 1) * sizeof(*handles));

	assert_int_equal(type, ByProtocol);
	assert_null(key);
	*ret_count = 0;
	if (same(guid, &pci_guid))
		handles[(*ret_count)++] = controller;
	for (size_t i = 0; same(guid, &path_guid) && i < device_count; i++) {
		if (!devices[i].is_hidden)
			handles[(*ret_count)++] = &devices[i];
	}
	*ret_handles = handles;
	outstanding++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *memory)
{
	outstanding--;
	free(memory);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI connect(EFI_HANDLE handle, EFI_HANDLE *drivers, EFI_DEVICE_PATH *rest, BOOLEAN recursive)
{
	struct device *device = handle;

	assert_null(drivers);
	assert_null(rest);
	assert_true(recursive);
	connected++;
	for (size_t i = 0; handle == controller && i < device_count; i++)
		devices[i].is_hidden = false;
	if (handle != controller && device->gets_files)
		device->has_files = true;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind, UINTN pages, EFI_PHYSICAL_ADDRESS *addr)
{
	assert_int_equal(type, AllocateMaxAddress);
	assert_int_equal(kind, EfiLoaderData);
	*addr = (uintptr_t)aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
	outstanding++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN pages)
{
	(void)pages;
	outstanding--;
	free(phys_to_ptr(addr));
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)seconds, (void)code, (void)size, (void)data;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration, void **ret_interface)
{
	(void)guid, (void)registration, (void)ret_interface;
	return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO *self, UINT32 id, EFI_LBA lba, UINTN size, void *buffer)
{
	assert_ptr_equal(self, &block_io);
	assert_int_equal(id, 7);
	assert_int_equal(size % disk.block_size, 0);
	assert_true(lba < GPT_DISK_BLOCKS && size / disk.block_size <= GPT_DISK_BLOCKS - lba);
	if (++reads == read_fails_at)
		return EFI_DEVICE_ERROR;
	memcpy(buffer, disk.bytes + lba * disk.block_size, size);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI pci_read_class(EFI_PCI_IO_PROTOCOL *self, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
					UINTN count, void *buffer)
{
	(void)self;
	assert_int_equal(width, EfiPciIoWidthUint16);
	assert_int_equal(offset, 0x0a);
	assert_int_equal(count, 1);
	memcpy(buffer, &pci_class, sizeof(pci_class));
	return EFI_SUCCESS;
}

static uint8_t *put_node(uint8_t *at, uint8_t type, uint8_t subtype, uint8_t size)
{
	memset(at, 0, size);
	at[0] = type;
	at[1] = subtype;
	at[2] = size;
	return at + size;
}

static struct device *add_disk(uint8_t number)
{
	struct device *device = &devices[device_count++];
	uint8_t *end = put_node(device->path, 1, 1, DISK_SIZE);

	device->path[4] = number;
	put_node(end, 0x7f, 0xff, 4);
	device->has_blocks = true;
	return device;
}

/* The partition has files; its PARTUUID is UUID(last). */
static struct device *add_partition(uint8_t disk_number, uint8_t last)
{
	struct device *device = add_disk(disk_number);
	uint8_t *node = device->path + DISK_SIZE;

	put_node(put_node(node, 4, 1, 42), 0x7f, 0xff, 4);
	node[24 + 15] = last;
	node[41] = 2;
	device->has_files = true;
	return device;
}

static struct device *esp;
static struct device *xbootldr;

/* Disk 1 has an ESP, which our image is on, and XBOOTLDR. */
static void start(uint32_t block_size)
{
	static EFI_BOOT_SERVICES boot_services = {
		.HandleProtocol = handle_protocol,
		.LocateHandleBuffer = locate_handles,
		.LocateProtocol = locate_protocol,
		.FreePool = free_pool,
		.ConnectController = connect,
		.AllocatePages = allocate,
		.FreePages = free_pages,
		.SetWatchdogTimer = set_watchdog,
	};
	static EFI_SYSTEM_TABLE system_table = { .BootServices = &boot_services };

	memset(devices, 0, sizeof(devices));
	device_count = 0;
	connected = 0;
	reads = 0;
	read_fails_at = 0;
	pci_class = 0x0108;
	pci_io_protocol.Pci.Read = pci_read_class;
	gpt_disk_start(&disk, block_size, 128, 16);
	gpt_disk_set(&disk, 0, gpt_type_esp, 0xa1);
	gpt_disk_set(&disk, 1, gpt_type_xbootldr, 0xa2);
	media = (EFI_BLOCK_IO_MEDIA){ .MediaId = 7, .BlockSize = block_size, .LastBlock = GPT_DISK_BLOCKS - 1 };
	block_io = (EFI_BLOCK_IO){ .Media = &media, .ReadBlocks = read_blocks };
	firmware_init(NULL, &system_table);
	add_disk(1);
	esp = add_partition(1, 0xa1);
	xbootldr = add_partition(1, 0xa2);
}

static void expect_found(const char *wanted, EFI_HANDLE own, const struct device *expected)
{
	EFI_HANDLE device = NULL;

	log_clear();
	expect_ok(find_volume(wanted, own, &device));
	assert_ptr_equal(device, expected);
	assert_int_equal(outstanding, 0);
}

static void expect_refused(const char *wanted, EFI_HANDLE own, enum kexec_status status, const char *line)
{
	EFI_HANDLE device = NULL;

	log_clear();
	expect_error(find_volume(wanted, own, &device), status, line);
	assert_null(device);
	assert_int_equal(outstanding, 0);
}

/* --- tests --- */

static void types_on_our_disk(void **state)
{
	static const uint32_t block_sizes[] = { 512, 4096 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(block_sizes); i++) {
		start(block_sizes[i]);
		expect_found("xbootldr", esp, xbootldr);
		expect_found("esp", esp, esp);
		expect_found("xbootldr", xbootldr, xbootldr);
		expect_found("esp", xbootldr, esp);
		assert_string_equal(logged(), "volume esp: " UUID("a1") "\n");
		assert_int_equal(connected, 0);
	}
}

static void second_table_where_the_first_is_damaged(void **state)
{
	EFI_HANDLE device = NULL;

	(void)state;
	start(512);
	gpt_disk_header(&disk, 0)[0] = 'x';
	expect_ok(find_volume("xbootldr", esp, &device));
	assert_ptr_equal(device, xbootldr);
	assert_string_equal(
		logged(),
		"volume xbootldr: the first partition table cannot be used (no signature): reading the second\n"
		"volume xbootldr: " UUID("a2") "\n");
	gpt_disk_entries(&disk, 1)[5] ^= 1;
	log_clear();
	assert_int_equal(find_volume("xbootldr", esp, &device), KEXEC_NOT_FOUND);
	assert_non_null(strstr(logged(),
			       "volume xbootldr: expected a GUID partition table on the disk of this program, found "
			       "entries with a wrong checksum\n"));
	assert_int_equal(outstanding, 0);
}

static void disk_that_cannot_be_read(void **state)
{
	EFI_HANDLE device = NULL;

	(void)state;
	start(512);
	read_fails_at = 1;
	expect_ok(find_volume("xbootldr", esp, &device));
	assert_ptr_equal(device, xbootldr);
	assert_non_null(
		strstr(logged(), "the first partition table cannot be used (DEVICE_ERROR): reading the second\n"));
	start(512);
	media.BlockSize = 0;
	expect_refused("xbootldr", esp, KEXEC_BAD_FORMAT, "expected a disk with blocks of 512 bytes or more, found 0");
	media.BlockSize = 1536;
	expect_refused("xbootldr", esp, KEXEC_BAD_FORMAT,
		       "expected a disk with blocks of 512 bytes or more, found 1536");
	media.BlockSize = 512;
	devices[0].has_blocks = false;
	expect_refused("xbootldr", esp, KEXEC_NOT_FOUND,
		       "expected this program to come from a partition of a disk, found none");
	expect_refused("esp", NULL, KEXEC_NOT_FOUND,
		       "volume esp: expected this program to come from a partition of a disk, found none");
}

static void types_that_are_not_there_or_twice(void **state)
{
	(void)state;
	start(512);
	gpt_disk_set(&disk, 1, gpt_type_esp, 0xa2);
	expect_refused("xbootldr", esp, KEXEC_NOT_FOUND,
		       "volume xbootldr: expected one partition of that type on the disk of this program, found 0 "
		       "in its table and 0 in the firmware");
	expect_found("esp", esp, esp);
	expect_found("esp", xbootldr, xbootldr);
	expect_refused("esp", add_partition(1, 0xa3), KEXEC_NOT_FOUND,
		       "volume esp: expected one partition of that type on the disk of this program, found 2 in "
		       "its table and 0 in the firmware");
	/* The table has the partition, but the firmware does not know it. */
	gpt_disk_set(&disk, 2, gpt_type_xbootldr, 0xa4);
	add_partition(2, 0xa4);
	expect_refused("xbootldr", esp, KEXEC_NOT_FOUND,
		       "volume xbootldr: expected one partition of that type on the disk of this program, found 1 "
		       "in its table and 0 in the firmware");
}

static void partuuid_on_any_disk(void **state)
{
	struct device *other;

	(void)state;
	start(512);
	add_disk(2);
	other = add_partition(2, 0xb1);
	expect_found(UUID("b1"), esp, other);
	expect_found(UUID("a2"), esp, xbootldr);
	/* Our caller need not say which device the image came from. */
	expect_found(UUID("a2"), NULL, xbootldr);
	assert_int_equal(connected, 0);
	expect_refused(
		UUID("c1"), esp, KEXEC_NOT_FOUND,
		"volume " UUID("c1") ": expected a partition that the firmware knows, found none of that name, " UUID(
			"a1") ", " UUID("a2") ", " UUID("b1"));
}

static void partuuid_of_a_cloned_disk(void **state)
{
	(void)state;
	start(512);
	add_partition(2, 0xa2);
	expect_found(UUID("a2"), esp, xbootldr);
	add_partition(3, 0xb1);
	add_partition(4, 0xb1);
	expect_refused(UUID("b1"), esp, KEXEC_BAD_FORMAT,
		       "expected one partition of that name, found 2, and 0 on our own disk");
	expect_refused(UUID("a2"), NULL, KEXEC_BAD_FORMAT, "expected one partition of that name, found 2");
	add_partition(1, 0xa2);
	expect_refused(UUID("a2"), esp, KEXEC_BAD_FORMAT,
		       "expected one partition of that name, found 3, and 2 on our own disk");
}

static void what_is_not_connected_yet(void **state)
{
	struct device *other;

	(void)state;
	start(512);
	other = add_partition(2, 0xb1);
	other->is_hidden = true;
	other->has_files = false;
	other->gets_files = true;
	expect_found(UUID("b1"), esp, other);
	assert_int_equal(connected, 2);
	/* The search connects only disks. */
	start(512);
	add_partition(2, 0xb1)->is_hidden = true;
	pci_class = 0x0300;
	expect_refused(UUID("b1"), esp, KEXEC_NOT_FOUND, "expected a partition that the firmware knows, found none");
	assert_int_equal(connected, 0);
}

static void file_system_that_nobody_reads(void **state)
{
	(void)state;
	start(512);
	xbootldr->has_files = false;
	expect_refused("xbootldr", esp, KEXEC_UNSUPPORTED,
		       "volume xbootldr: " UUID(
			       "a2") ": expected a file system that this firmware reads (FAT, or what a "
				     "loaded driver reads), found UNSUPPORTED");
	assert_int_equal(connected, 1);
	xbootldr->gets_files = true;
	expect_found("xbootldr", esp, xbootldr);
}

static const CHAR16 *label;
static UINTN label_size;

static EFI_STATUS EFIAPI get_label(EFI_FILE_HANDLE root, EFI_GUID *guid, UINTN *size, void *buffer)
{
	(void)root;
	(void)guid;
	if (label_size > *size) {
		*size = label_size;
		return EFI_BUFFER_TOO_SMALL;
	}
	memcpy(buffer, label, label_size);
	*size = label_size;
	return EFI_SUCCESS;
}

static void expect_name(EFI_HANDLE device, const CHAR16 *text, UINTN size, const char *expected)
{
	struct _EFI_FILE_HANDLE root = { .GetInfo = get_label };
	char name[VOLUME_NAME_SIZE];

	label = text;
	label_size = size;
	volume_name(device, &root, name);
	assert_string_equal(name, expected);
}

static void names(void **state)
{
	static CHAR16 longest[64];
	struct _EFI_FILE_HANDLE root = { .GetInfo = get_label };
	char name[VOLUME_NAME_SIZE];

	(void)state;
	start(512);
	for (size_t i = 0; i < ARRAY_SIZE(longest); i++)
		longest[i] = 0x20ac;
	expect_name(esp, L"ESP", 8, UUID("a1") " \"ESP\"");
	expect_name(esp, L"", 2, UUID("a1"));
	expect_name(esp, L"", 0, UUID("a1"));
	/* The label lacks its NUL, or has control characters. */
	expect_name(esp, L"ESP", 6, UUID("a1") " \"ESP\"");
	expect_name(esp, L"\x1b[2J\r\n\"x\x7f", 20, UUID("a1") " \"?[2J???x?\"");
	volume_name(esp, NULL, name);
	assert_string_equal(name, UUID("a1"));
	volume_name(NULL, NULL, name);
	assert_string_equal(name, "of no device (DeviceHandle is NULL)");
	volume_name(controller, NULL, name);
	assert_string_equal(name, "without a device path");
	volume_name(&devices[0], NULL, name);
	assert_string_equal(name, "Path(1,1)");
	expect_name(&devices[0], longest, 200, "Path(1,1)");
	expect_name(&devices[0], L"CD", 6, "Path(1,1) \"CD\"");
	/* The longest label that is read, of characters of three bytes each, is cut. */
	label = longest;
	label_size = sizeof(longest);
	volume_name(esp, &root, name);
	assert_int_equal(strlen(name), 36 + 2 + 42 * 3 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_on_our_disk),
		cmocka_unit_test(second_table_where_the_first_is_damaged),
		cmocka_unit_test(disk_that_cannot_be_read),
		cmocka_unit_test(types_that_are_not_there_or_twice),
		cmocka_unit_test(partuuid_on_any_disk),
		cmocka_unit_test(partuuid_of_a_cloned_disk),
		cmocka_unit_test(what_is_not_connected_yet),
		cmocka_unit_test(file_system_that_nobody_reads),
		cmocka_unit_test(names),
	};

	return run_named_tests(tests);
}
