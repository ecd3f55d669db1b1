// SPDX-License-Identifier: BSD-2-Clause
/* Sets the variables of the Boot Loader Interface. */
#include "efi/linux/loader_interface.h"

#include "boot/device_path.h"
#include "boot/imagepath.h"
#include "boot/loader_info.h"
#include "boot/log.h"
#include "common/format.h"
#include "common/vendor.h"
#include "efi/services/clock.h"
#include "efi/services/console.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"
#include "efi/trust/planted.h"

/* One that is longer is nobody's that we know. */
#define LOADER_INFO_UNITS 170

/* A menu clears the screen. */
#define FAILURE_SHOWN_SECONDS 10

static bool has_warned;
static bool has_menu; /* systemd-boot started us */
static enum loader_before before;

/* A variable of the interface, as loaders set it: it is volatile. */
static struct variable report(const CHAR16 *name)
{
	return (struct variable){
		.name = name,
		.vendor = LOADER_VENDOR_GUID,
		.required = VARIABLE_BOOT_RUNTIME,
		.forbidden = ~(uint32_t)VARIABLE_BOOT_RUNTIME,
	};
}

static bool is_set(const CHAR16 *name)
{
	struct variable variable = report(name);
	struct variable_reading reading;

	return variable_look(&variable, &reading) == VARIABLE_FOUND;
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
static void set(CHAR16 *name, const char *text)
{
	EFI_GUID vendor = LOADER_VENDOR_GUID;
	uint16_t value[LOADER_VALUE_SIZE];
	size_t size = loader_value(text, value);

	if (!size || (is_set(name) && !loader_replaces_values(before)))
		return;
	check(firmware_runtime_services->SetVariable(
		name, &vendor, EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS, size, value));
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
	char text[LOADER_VALUE_SIZE];

	loader_firmware_info(firmware_system_table->FirmwareVendor, firmware_system_table->FirmwareRevision, text);
	set(L"LoaderFirmwareInfo", text);
	loader_firmware_type(firmware_system_table->Hdr.Revision, text);
	set(L"LoaderFirmwareType", text);
}

static void set_image(const EFI_LOADED_IMAGE *image)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	char value[LOADER_VALUE_SIZE];
	struct partition_path partition;
	const void *nodes;

	if (image->FilePath && image_path(image->FilePath, device_path_size(image->FilePath), value, sizeof(value)))
		set(L"LoaderImageIdentifier", value);
	nodes = firmware_protocol_on(image->DeviceHandle, &guid);
	if (nodes && device_path_partition(nodes, device_path_size(nodes), &partition) && partition.is_gpt)
		set(L"LoaderDevicePartUUID", partition.partuuid);
}

static enum loader_before find_loader_before(void)
{
	struct variable variable = report(L"LoaderInfo");
	uint16_t value[LOADER_INFO_UNITS];
	struct variable_reading reading;

	variable.size_max = sizeof(value);
	if (variable_read(&variable, value, &reading) != VARIABLE_FOUND)
		return LOADER_BEFORE_NONE;
	return loader_before(value, reading.size);
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
	planted_delete();
	before = find_loader_before();
	/* It may have been left long ago, for what comes next in the boot order. */
	has_menu = before == LOADER_BEFORE_MENU && is_started_from_a_volume(image);
	if (loader_is_stub(before))
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

	check(firmware_runtime_services->SetVariable(KEXEC_LOG_NAME, &vendor,
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
