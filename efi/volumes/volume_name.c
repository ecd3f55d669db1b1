// SPDX-License-Identifier: BSD-2-Clause
/* Names volumes. Labels and device paths are untrusted text. */
#include "efi/volumes/volume_name.h"

#include "boot/device_path.h"
#include "boot/text.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"

/* In bytes of UTF-16: ext4's labels have 16 characters, those of ISO 9660 and NTFS 32. */
#define LABEL_SIZE 128

/* Converts UTF-16 to UTF-8, as much as fits. */
static size_t put_utf16(const void *utf16, size_t size, char *ret_text, size_t capacity)
{
	struct utf16_reader reader = { .bytes = utf16, .size = size };
	size_t length = 0;
	char utf8[4];
	size_t count;

	while ((count = utf16_take_utf8(&reader, utf8)) != 0 && count < capacity - length) {
		bool is_control = count == 1 && ((uint8_t)utf8[0] < ' ' || utf8[0] == 0x7f || utf8[0] == '"');

		memcpy(ret_text + length, is_control ? "?" : utf8, count);
		length += count;
	}
	ret_text[length] = '\0';
	return length;
}

/* Uses the firmware's text of the path. Returns false if the firmware has none. */
static bool put_firmware_text(const EFI_DEVICE_PATH *path, char *ret_text, size_t capacity)
{
	static const EFI_GUID guid = EFI_DEVICE_PATH_TO_TEXT_PROTOCOL_GUID;
	EFI_DEVICE_PATH_TO_TEXT_PROTOCOL *converter = firmware_protocol(&guid);
	CHAR16 *text = converter ? converter->ConvertDevicePathToText(path, TRUE, TRUE) : NULL;

	if (!text)
		return false;
	put_utf16(text, capacity * sizeof(*text), ret_text, capacity);
	firmware_boot_services->FreePool(text);
	return true;
}

static void put_device(EFI_HANDLE device, char *ret_text, size_t capacity)
{
	static const EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	const EFI_DEVICE_PATH *path = device ? firmware_protocol_on(device, &guid) : NULL;
	struct partition_path partition;

	if (!device)
		format_text(ret_text, capacity, "of no device (DeviceHandle is NULL)");
	else if (!path)
		format_text(ret_text, capacity, "without a device path");
	else if (device_path_partition(path, device_path_size(path), &partition))
		format_text(ret_text, capacity, "%s", partition.partuuid);
	else if (!put_firmware_text(path, ret_text, capacity))
		device_path_text(path, device_path_size(path), ret_text, capacity);
}

/* Asks only for the label: EFI_FILE_SYSTEM_INFO also has it, but counts a FAT's free clusters. */
static void put_label(EFI_FILE_HANDLE root, char *ret_text, size_t capacity)
{
	EFI_GUID guid = EFI_FILE_SYSTEM_VOLUME_LABEL_ID;
	_Alignas(CHAR16) uint8_t label[LABEL_SIZE];
	UINTN size = sizeof(label);
	char text[LABEL_SIZE];

	if (!root || EFI_ERROR(root->GetInfo(root, &guid, &size, label)) || size > sizeof(label))
		return;
	if (put_utf16(label, size, text, sizeof(text)))
		format_text(ret_text, capacity, " \"%s\"", text);
}

void volume_name(EFI_HANDLE device, EFI_FILE_HANDLE root, char ret_name[VOLUME_NAME_SIZE])
{
	size_t length;

	put_device(device, ret_name, VOLUME_NAME_SIZE / 2);
	length = strlen(ret_name);
	put_label(root, ret_name + length, VOLUME_NAME_SIZE - length);
}
