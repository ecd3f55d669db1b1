// SPDX-License-Identifier: BSD-2-Clause
/* Sets the variables of the Boot Loader Interface. */
#include "efi/linux/loader_interface.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "boot/text.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "common/vendor.h"
#include "efi/services/clock.h"
#include "efi/services/console.h"
#include "efi/services/firmware.h"

#define VALUE_SIZE 512

#define LOADER_VENDOR_GUID                                                                                             \
	{                                                                                                              \
		0x4a67b082, 0x0a4c, 0x41cf,                                                                            \
		{                                                                                                      \
			0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f                                                 \
		}                                                                                                      \
	}

/* A menu clears the screen. */
#define FAILURE_SHOWN_SECONDS 10

static bool has_warned;
static bool has_menu;	     /* systemd-boot started us */
static bool replaces_values; /* those that are there are ours, from a start that failed */

static bool is_set(CHAR16 *name, EFI_GUID *vendor)
{
	UINTN size = 0;

	return firmware_runtime_services->GetVariable(name, vendor, NULL, &size, NULL) == EFI_BUFFER_TOO_SMALL;
}

/* Warns of the first variable that the firmware does not take. */
static void check(EFI_STATUS status)
{
	if (!EFI_ERROR(status) || has_warned)
		return;
	log_warning("the firmware does not take variables: %s; going on without", efi_status_name(status));
	has_warned = true;
}

/* Sets a variable to text, unless a loader before us has. */
static void set(CHAR16 *name, const char *value)
{
	EFI_GUID vendor = LOADER_VENDOR_GUID;
	struct text text = { .start = value, .length = strlen(value) };
	uint16_t wide[VALUE_SIZE];
	UINTN units = 0;
	EFI_STATUS status;

	if ((is_set(name, &vendor) && !replaces_values) || !text_to_utf16(text, wide, ARRAY_SIZE(wide)))
		return;
	while (wide[units])
		units++;
	status = firmware_runtime_services->SetVariable(name, &vendor,
							EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
							(units + 1) * 2, wide);
	check(status);
}

static void set_time(CHAR16 *name)
{
	uint64_t usec = clock_usec();
	char value[24];

	if (!usec)
		return;
	format_text(value, sizeof(value), "%lu", usec);
	set(name, value);
}

static void set_firmware(void)
{
	const uint8_t *name = (const uint8_t *)firmware_system_table->FirmwareVendor;
	struct utf16_reader vendor = { .bytes = name, .size = name ? 2 * 128 : 0 };
	uint32_t revision = firmware_system_table->FirmwareRevision;
	char value[VALUE_SIZE];
	size_t length = 0;
	char utf8[4];
	size_t count;

	while ((count = utf16_take_utf8(&vendor, utf8)) != 0) {
		memcpy(value + length, utf8, count);
		length += count;
	}
	format_text(value + length, sizeof(value) - length, " %u.%02u", revision >> 16, revision & 0xffff);
	set(L"LoaderFirmwareInfo", value);

	revision = firmware_system_table->Hdr.Revision;
	format_text(value, sizeof(value), "UEFI %u.%02u", revision >> 16, revision & 0xffff);
	set(L"LoaderFirmwareType", value);
}

static void set_image(const EFI_LOADED_IMAGE *image)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	char value[VALUE_SIZE];
	const void *nodes;

	if (image->FilePath && image_path(image->FilePath, device_path_size(image->FilePath), value, sizeof(value)))
		set(L"LoaderImageIdentifier", value);
	nodes = firmware_protocol_on(image->DeviceHandle, &guid);
	if (nodes && image_partition_uuid(nodes, device_path_size(nodes), value))
		set(L"LoaderDevicePartUUID", value);
}

/* Reads who has set LoaderInfo in this power-on: it outlives the loader that set it. */
static struct text read_loader_info(char ret_text[VALUE_SIZE])
{
	EFI_GUID vendor = LOADER_VENDOR_GUID;
	struct text info = { .start = ret_text };
	uint16_t wide[VALUE_SIZE / 3];
	UINTN size = sizeof(wide);
	struct utf16_reader reader = { .bytes = (const uint8_t *)wide };
	size_t count;

	if (EFI_ERROR(firmware_runtime_services->GetVariable(L"LoaderInfo", &vendor, NULL, &size, wide)))
		return info;
	reader.size = size < sizeof(wide) ? size : sizeof(wide);
	while (VALUE_SIZE - info.length >= 4 && (count = utf16_take_utf8(&reader, ret_text + info.length)) != 0)
		info.length += count;
	return info;
}

static bool begins_with(struct text text, struct text prefix)
{
	return text.length >= prefix.length && memcmp(text.start, prefix.start, prefix.length) == 0;
}

/*
 * Who started us lies on a volume, as a boot menu does. The firmware's boot manager is no parent at all (UEFI
 * specification 9.1.1), or lies in the firmware, as a shell does that comes with it. A shell on a volume is taken for a
 * menu, and shows itself again after a success as well.
 */
static bool is_started_from_a_volume(const EFI_LOADED_IMAGE *image)
{
	EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
	EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	const EFI_LOADED_IMAGE *parent = firmware_protocol_on(image->ParentHandle, &image_guid);

	return parent && firmware_protocol_on(parent->DeviceHandle, &volume_guid);
}

void loader_interface_start(const EFI_LOADED_IMAGE *image)
{
	char buffer[VALUE_SIZE];
	struct text info = read_loader_info(buffer);

	replaces_values = begins_with(info, TEXT("kexec-efi"));
	/* It may have been left long ago, for what comes next in the boot order. */
	has_menu = begins_with(info, TEXT("systemd-boot")) && is_started_from_a_volume(image);
	/* Behind another loader we are what the interface's documentation calls a stub. */
	if (info.length && !replaces_values)
		set(L"StubInfo", "kexec-efi " KEXEC_EFI_VERSION);
	set_time(L"LoaderTimeInitUSec");
	set(L"LoaderInfo", "kexec-efi " KEXEC_EFI_VERSION);
	set_image(image);
	set_firmware();
}

/* Our own log, as UTF-16 like the variables above, under a GUID of our own. */
static void leave_log(void)
{
	EFI_GUID vendor = KEXEC_VENDOR_GUID;
	UINTN size;
	const CHAR16 *log = console_log(&size);

	check(firmware_runtime_services->SetVariable(L"KexecLog", &vendor,
						     EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
						     size, (void *)log));
}

void loader_interface_finish(void)
{
	leave_log();
	set_time(L"LoaderTimeExecUSec");
}

EFI_STATUS loader_interface_failed(EFI_STATUS status)
{
	if (!has_menu)
		return status;
	log_info("back to the boot menu in %u seconds, or by a key", FAILURE_SHOWN_SECONDS);
	console_wait_for_key(FAILURE_SHOWN_SECONDS);
	return EFI_SUCCESS;
}
