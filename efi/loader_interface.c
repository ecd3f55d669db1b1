// SPDX-License-Identifier: BSD-2-Clause
/* Sets the variables of the Boot Loader Interface. */
#include "efi/loader_interface.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "boot/text.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/console.h"
#include "efi/cpu.h"
#include "efi/firmware.h"

#define VALUE_SIZE 512

/* A menu clears the screen. */
#define FAILURE_SHOWN_SECONDS 10

/* How long the time stamp counter is watched to learn how fast it is. */
#define CALIBRATION_USEC 1000

static bool has_warned;
static bool has_menu; /* another loader started us */
static uint64_t ticks_per_msec;

/* Since the counter was reset, with the machine. 0 if it does not tick. */
static uint64_t time_usec(void)
{
	uint64_t ticks = cpu_ticks();

	if (!ticks_per_msec) {
		firmware_boot_services->Stall(CALIBRATION_USEC);
		ticks_per_msec = cpu_ticks() - ticks;
	}
	/* In this order it neither wraps nor loses more than a millionth. */
	return ticks_per_msec ? ticks / ticks_per_msec * 1000 + ticks % ticks_per_msec * 1000 / ticks_per_msec : 0;
}

static bool is_set(CHAR16 *name, EFI_GUID *vendor)
{
	UINTN size = 0;

	return firmware_runtime_services->GetVariable(name, vendor, NULL, &size, NULL) == EFI_BUFFER_TOO_SMALL;
}

/* Sets a variable to text, unless a loader before us has. */
static void set(CHAR16 *name, const char *value)
{
	EFI_GUID vendor = { 0x4a67b082, 0x0a4c, 0x41cf, { 0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f } };
	struct text text = { .start = value, .length = strlen(value) };
	uint16_t wide[VALUE_SIZE];
	EFI_STATUS status;
	UINTN units = 0;

	if (is_set(name, &vendor) || !text_to_utf16(text, wide, ARRAY_SIZE(wide)))
		return;
	while (wide[units])
		units++;
	status = firmware_runtime_services->SetVariable(name, &vendor,
							EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
							(units + 1) * 2, wide);
	if (EFI_ERROR(status) && !has_warned) {
		log_info("the firmware does not take variables: %s; going on without", efi_status_name(status));
		has_warned = true;
	}
}

static void set_time(CHAR16 *name)
{
	uint64_t usec = time_usec();
	char value[24];

	if (!usec)
		return;
	format_text(value, sizeof(value), "%lu", usec);
	set(name, value);
}

static void set_firmware(void)
{
	struct utf16_reader vendor = { .bytes = (const uint8_t *)firmware_system_table->FirmwareVendor,
				       .size = vendor.bytes ? 2 * 128 : 0 };
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
	void *nodes;

	if (image->FilePath &&
	    image_path(image->FilePath, device_path_size(image->FilePath), value, sizeof(value)) == KEXEC_OK)
		set(L"LoaderImageIdentifier", value);
	if (!EFI_ERROR(firmware_boot_services->HandleProtocol(image->DeviceHandle, &guid, &nodes)) &&
	    image_partition_uuid(nodes, device_path_size(nodes), value))
		set(L"LoaderDevicePartUUID", value);
}

void loader_interface_start(const EFI_LOADED_IMAGE *image)
{
	EFI_GUID vendor = { 0x4a67b082, 0x0a4c, 0x41cf, { 0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f } };

	/* Behind another loader we are what its documentation calls a stub. */
	has_menu = is_set(L"LoaderInfo", &vendor);
	if (has_menu)
		set(L"StubInfo", "kexec-efi " KEXEC_EFI_VERSION);
	set_time(L"LoaderTimeInitUSec");
	set(L"LoaderInfo", "kexec-efi " KEXEC_EFI_VERSION);
	set_image(image);
	set_firmware();
}

void loader_interface_finish(void)
{
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
