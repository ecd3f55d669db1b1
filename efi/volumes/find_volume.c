// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks at the device paths of all handles, not only of those with a file system, so that a message can tell a
 * partition that the firmware cannot read from one that it does not know.
 */
#include "efi/volumes/find_volume.h"

#include "boot/device_path.h"
#include "boot/gpt.h"
#include "boot/log.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/services/pci.h"
#include "efi/volumes/disk.h"
#include "efi/volumes/file_system.h"
#include "efi/volumes/volume_name.h"

#define PCI_CLASS_STORAGE 0x01u

/* Names of partitions in a message. */
#define NAMES_SIZE 400

/* The nodes of a device path. */
struct place {
	const uint8_t *nodes;
	size_t size; /* with the end node; 0: no path */
	bool is_partition;
	struct partition_path partition;
};

struct search {
	const char *wanted;
	struct place own;    /* our image's */
	EFI_HANDLE *devices; /* all handles with a device path, or NULL */
	UINTN count;
};

/* Partitions with one PARTUUID. */
struct matches {
	EFI_HANDLE any;
	EFI_HANDLE on_own_disk;
	unsigned any_count;
	unsigned on_own_disk_count;
};

static struct place place_of(EFI_HANDLE device)
{
	static const EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	const EFI_DEVICE_PATH *path = device ? firmware_protocol_on(device, &guid) : NULL;
	struct place place = { 0 };

	if (!path)
		return place;
	place.nodes = (const uint8_t *)path;
	place.size = device_path_size(path);
	place.is_partition = device_path_partition(place.nodes, place.size, &place.partition);
	return place;
}

static bool are_on_one_disk(const struct place *a, const struct place *b)
{
	return a->is_partition && b->is_partition && a->partition.disk_size == b->partition.disk_size &&
	       memcmp(a->nodes, b->nodes, a->partition.disk_size) == 0;
}

static bool is_disk_of(const struct place *disk, const struct place *partition)
{
	return disk->nodes && disk->size == partition->partition.disk_size + DEVICE_PATH_HEADER_SIZE &&
	       memcmp(disk->nodes, partition->nodes, partition->partition.disk_size) == 0;
}

static void forget_devices(struct search *search)
{
	if (search->devices)
		firmware_boot_services->FreePool(search->devices);
	search->devices = NULL;
	search->count = 0;
}

static void list_devices(struct search *search)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;

	forget_devices(search);
	if (EFI_ERROR(firmware_boot_services->LocateHandleBuffer(ByProtocol, &guid, NULL, &search->count,
								 &search->devices))) {
		search->devices = NULL;
		search->count = 0;
	}
}

/* The disk that our image came from, or NULL. */
static EFI_BLOCK_IO *own_disk(const struct search *search)
{
	static const EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
	EFI_BLOCK_IO *disk = NULL;

	for (UINTN i = 0; search->own.is_partition && !disk && i < search->count; i++) {
		struct place place = place_of(search->devices[i]);

		if (is_disk_of(&place, &search->own))
			disk = firmware_protocol_on(search->devices[i], &guid);
	}
	return disk;
}

static struct matches find_listed(const struct search *search, const char *partuuid)
{
	struct matches matches = { 0 };

	for (UINTN i = 0; i < search->count; i++) {
		struct place place = place_of(search->devices[i]);

		if (!place.is_partition || strcmp(place.partition.partuuid, partuuid) != 0)
			continue;
		matches.any = search->devices[i];
		matches.any_count++;
		if (are_on_one_disk(&place, &search->own)) {
			matches.on_own_disk = search->devices[i];
			matches.on_own_disk_count++;
		}
	}
	return matches;
}

/* Firmware with a fast boot connects only the disk that it boots from. */
static void connect_disks(void)
{
	EFI_HANDLE *devices = NULL;
	UINTN count = 0;

	if (EFI_ERROR(pci_find_devices(&count, &devices)))
		return;
	for (UINTN i = 0; i < count; i++) {
		EFI_PCI_IO_PROTOCOL *io = pci_io(devices[i]);

		firmware_feed_watchdog();
		if (io && pci_read(io, PCI_CLASS) >> 8 == PCI_CLASS_STORAGE)
			firmware_boot_services->ConnectController(devices[i], NULL, NULL, TRUE);
	}
	if (devices)
		firmware_boot_services->FreePool(devices);
}

static struct matches find_matches(struct search *search, const char *partuuid)
{
	struct matches matches = find_listed(search, partuuid);

	if (matches.any_count)
		return matches;
	connect_disks();
	list_devices(search);
	return find_listed(search, partuuid);
}

/* Lists the known partitions in the message, as many as fit. */
static enum kexec_status complain_of_none(const struct search *search)
{
	char names[NAMES_SIZE] = "none of that name";
	size_t length = strlen(names);

	for (UINTN i = 0; i < search->count && NAMES_SIZE - length >= PARTUUID_SIZE + sizeof(", "); i++) {
		struct place place = place_of(search->devices[i]);

		if (place.is_partition)
			length += format_text(names + length, NAMES_SIZE - length, ", %s", place.partition.partuuid);
	}
	return log_error(KEXEC_NOT_FOUND, "volume %s: expected a partition that the firmware knows, found %s",
			 search->wanted, names);
}

static enum kexec_status find_by_name(struct search *search, EFI_HANDLE *ret_device)
{
	struct matches matches = find_matches(search, search->wanted);

	if (!matches.any_count)
		return complain_of_none(search);
	if (matches.any_count > 1 && matches.on_own_disk_count != 1)
		return log_error(KEXEC_BAD_FORMAT,
				 "volume %s: expected one partition of that name, found %u, and %u on our own disk",
				 search->wanted, matches.any_count, matches.on_own_disk_count);
	*ret_device = matches.on_own_disk_count ? matches.on_own_disk : matches.any;
	return KEXEC_OK;
}

/* Finds the only partition of the type on the disk that our image came from. If ours has that type, it is ours. */
static enum kexec_status find_by_type(struct search *search, const uint8_t type[GPT_GUID_SIZE], EFI_HANDLE *ret_device)
{
	const char *wanted = search->wanted;
	EFI_BLOCK_IO *disk = own_disk(search);
	char partuuid[PARTUUID_SIZE] = "";
	struct matches matches;
	enum kexec_status status;
	size_t count;

	if (!disk)
		return log_error(KEXEC_NOT_FOUND,
				 "volume %s: expected this program to come from a partition of a disk, found none",
				 wanted);
	status = disk_find_partition(disk, wanted, type, search->own.partition.partuuid, partuuid, &count);
	if (status)
		return status;
	matches = count == 1 ? find_matches(search, partuuid) : (struct matches){ 0 };
	if (matches.on_own_disk_count != 1)
		return log_error(
			KEXEC_NOT_FOUND,
			"volume %s: expected one partition of that type on the disk of this program, found %zu "
			"in its table and %u in the firmware",
			wanted, count, matches.on_own_disk_count);
	*ret_device = matches.on_own_disk;
	return KEXEC_OK;
}

static enum kexec_status find_device(struct search *search, EFI_HANDLE *ret_device)
{
	if (strcmp(search->wanted, VOLUME_ESP) == 0)
		return find_by_type(search, gpt_type_esp, ret_device);
	if (strcmp(search->wanted, VOLUME_XBOOTLDR) == 0)
		return find_by_type(search, gpt_type_xbootldr, ret_device);
	return find_by_name(search, ret_device);
}

static enum kexec_status expect_file_system(const char *wanted, EFI_HANDLE device)
{
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *file_system;
	EFI_STATUS status = file_system_on(device, &file_system);
	char name[VOLUME_NAME_SIZE];

	volume_name(device, NULL, name);
	if (EFI_ERROR(status))
		return log_error(
			KEXEC_UNSUPPORTED,
			"volume %s: %s: expected a file system that this firmware reads (FAT, or what a loaded "
			"driver reads), found %s",
			wanted, name, efi_status_name(status));
	log_verbose("volume %s: %s", wanted, name);
	return KEXEC_OK;
}

enum kexec_status find_volume(const char *wanted, EFI_HANDLE own, EFI_HANDLE *ret_device)
{
	struct search search = { .wanted = wanted, .own = place_of(own) };
	EFI_HANDLE device = NULL;
	enum kexec_status status;

	list_devices(&search);
	status = find_device(&search, &device);
	forget_devices(&search);
	if (!status)
		status = expect_file_system(wanted, device);
	if (!status)
		*ret_device = device;
	return status;
}
