// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks at the device paths of all handles, not of those with a file system only: a partition that the firmware knows
 * but cannot read is worth a line of its own.
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

/* The nodes of a device path, and of those the ones that lead to the disk, if it is a partition's. */
struct place {
	const uint8_t *nodes;
	size_t size; /* with the end node; 0: there is no path */
	bool is_partition;
	struct partition_path partition;
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
	return disk->size == partition->partition.disk_size + DEVICE_PATH_HEADER_SIZE &&
	       memcmp(disk->nodes, partition->nodes, partition->partition.disk_size) == 0;
}

/* All handles with a device path. The caller frees the list, which is NULL where there are none. */
static UINTN all_devices(EFI_HANDLE **ret_devices)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	UINTN count = 0;

	*ret_devices = NULL;
	if (EFI_ERROR(firmware_boot_services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, ret_devices)))
		return 0;
	return count;
}

static void free_devices(EFI_HANDLE *devices)
{
	if (devices)
		firmware_boot_services->FreePool(devices);
}

/* The disk of the partition, by which all of it can be read. */
static EFI_BLOCK_IO *disk_of(const struct place *partition)
{
	static const EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
	EFI_BLOCK_IO *disk = NULL;
	EFI_HANDLE *devices;
	UINTN count = all_devices(&devices);

	for (UINTN i = 0; !disk && i < count; i++) {
		struct place place = place_of(devices[i]);

		if (is_disk_of(&place, partition))
			disk = firmware_protocol_on(devices[i], &guid);
	}
	free_devices(devices);
	return disk;
}

static struct matches find_matches(const char *partuuid, const struct place *own)
{
	struct matches matches = { 0 };
	EFI_HANDLE *devices;
	UINTN count = all_devices(&devices);

	for (UINTN i = 0; i < count; i++) {
		struct place place = place_of(devices[i]);

		if (!place.is_partition || strcmp(place.partition.partuuid, partuuid) != 0)
			continue;
		matches.any = devices[i];
		matches.any_count++;
		if (are_on_one_disk(&place, own)) {
			matches.on_own_disk = devices[i];
			matches.on_own_disk_count++;
		}
	}
	free_devices(devices);
	return matches;
}

/* Firmware that starts fast connects no disk but the one that it starts from. */
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
	free_devices(devices);
}

static struct matches find_connected_matches(const char *partuuid, const struct place *own)
{
	struct matches matches = find_matches(partuuid, own);

	if (matches.any_count)
		return matches;
	connect_disks();
	return find_matches(partuuid, own);
}

/* Of as many as fit. */
static void list_partitions(char ret_names[NAMES_SIZE])
{
	EFI_HANDLE *devices;
	UINTN count = all_devices(&devices);
	size_t length;

	length = format_text(ret_names, NAMES_SIZE, "none of that name");
	for (UINTN i = 0; i < count; i++) {
		struct place place = place_of(devices[i]);

		if (!place.is_partition)
			continue;
		if (NAMES_SIZE - length < PARTUUID_SIZE + sizeof(", ..."))
			break;
		length += format_text(ret_names + length, NAMES_SIZE - length, ", %s", place.partition.partuuid);
	}
	free_devices(devices);
}

static enum kexec_status complain_of_none(const char *wanted)
{
	char names[NAMES_SIZE];

	list_partitions(names);
	return log_error(KEXEC_NOT_FOUND, "volume %s: expected a partition that the firmware knows, found %s", wanted,
			 names);
}

static enum kexec_status find_partition(const char *partuuid, const struct place *own, EFI_HANDLE *ret_device)
{
	struct matches matches = find_connected_matches(partuuid, own);

	if (!matches.any_count)
		return complain_of_none(partuuid);
	if (matches.any_count > 1 && matches.on_own_disk_count != 1)
		return log_error(KEXEC_BAD_FORMAT,
				 "volume %s: expected one partition of that name, found %u, and %u on our own disk",
				 partuuid, matches.any_count, matches.on_own_disk_count);
	*ret_device = matches.on_own_disk_count ? matches.on_own_disk : matches.any;
	return KEXEC_OK;
}

/* The one of its type on the disk that we came from; if we came from one of them, that one. */
static enum kexec_status find_by_type(const char *wanted, const struct place *own, EFI_HANDLE *ret_device)
{
	const uint8_t *type = strcmp(wanted, VOLUME_ESP) == 0 ? gpt_type_esp : gpt_type_xbootldr;
	EFI_BLOCK_IO *disk = own->is_partition ? disk_of(own) : NULL;
	char partuuid[PARTUUID_SIZE] = "";
	struct matches matches;
	enum kexec_status status;
	size_t count;

	if (!disk)
		return log_error(KEXEC_NOT_FOUND,
				 "volume %s: expected this program to come from a partition of a disk, found none",
				 wanted);
	status = disk_find_partition(disk, wanted, type, own->partition.partuuid, partuuid, &count);
	if (status)
		return status;
	if (count != 1)
		return log_error(
			KEXEC_NOT_FOUND,
			"volume %s: expected one partition of that type on the disk of this program, found %zu", wanted,
			count);
	matches = find_connected_matches(partuuid, own);
	if (matches.on_own_disk_count != 1)
		return log_error(KEXEC_NOT_FOUND,
				 "volume %s: expected one partition %s on the disk of this program, found %u", wanted,
				 partuuid, matches.on_own_disk_count);
	*ret_device = matches.on_own_disk;
	return KEXEC_OK;
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
	bool is_type = strcmp(wanted, VOLUME_ESP) == 0 || strcmp(wanted, VOLUME_XBOOTLDR) == 0;
	struct place own_place = place_of(own);
	EFI_HANDLE device = NULL;
	enum kexec_status status;

	status = is_type ? find_by_type(wanted, &own_place, &device) : find_partition(wanted, &own_place, &device);
	if (!status)
		status = expect_file_system(wanted, device);
	if (!status)
		*ret_device = device;
	return status;
}
