// SPDX-License-Identifier: BSD-2-Clause
/* Sets the variables of the Boot Loader Interface. */
#include "efi/linux/loader_interface.h"

#include "boot/device_path.h"
#include "boot/imagepath.h"
#include "boot/loader_info.h"
#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/vendor.h"
#include "efi/services/clock.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"
#include "efi/trust/planted.h"

/* No loader that we know sets a longer value. */
#define LOADER_INFO_UNITS 170

/* The menu clears the screen, so the user needs time to read. */
#define FAILURE_SHOWN_SECONDS 10

static bool has_warned;
static bool has_menu; /* systemd-boot started us */
static enum loader_before before;
static const EFI_LOADED_IMAGE *own_image;

/* Whether these were set, so that a failed boot deletes them. */
static bool has_reported_stub;
static bool has_reported_entry;

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

/* Sets a variable, whatever its present value is. */
static void replace(const CHAR16 *name, const void *value, size_t size)
{
	EFI_GUID vendor = LOADER_VENDOR_GUID;

	check(firmware_runtime_services->SetVariable((CHAR16 *)name, &vendor,
						     EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
						     size, (void *)value));
}

static void take_back(const CHAR16 *name)
{
	const struct variable variable = report(name);

	check(variable_delete(&variable));
}

/* Does the same with text. NULL deletes the variable, so that nobody takes an old value for this boot's. */
static void replace_text(const CHAR16 *name, const char *text)
{
	uint16_t value[LOADER_VALUE_SIZE];
	size_t size = text ? loader_value(text, value) : 0;

	if (size)
		replace(name, value, size);
	else if (is_set(name))
		take_back(name);
}

/* Sets a variable to text, unless a loader before us has set it. Returns whether the value is ours. */
static bool set(const CHAR16 *name, const char *text)
{
	uint16_t value[LOADER_VALUE_SIZE];
	size_t size = loader_value(text, value);

	if (!size || (is_set(name) && !loader_replaces_values(before)))
		return false;
	replace(name, value, size);
	return true;
}

static void set_time(const CHAR16 *name)
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

/* The path of our image on its volume; NULL if it has none. */
static const char *image_identifier(char ret_value[LOADER_VALUE_SIZE])
{
	const EFI_DEVICE_PATH *path = own_image->FilePath;

	return path && image_path(path, device_path_size(path), ret_value, LOADER_VALUE_SIZE) ? ret_value : NULL;
}

/* The PARTUUID of that volume; NULL if it has none, or only that of an MBR. */
static const char *image_partuuid(struct partition_path *ret_partition)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	const void *nodes = firmware_protocol_on(own_image->DeviceHandle, &guid);
	bool is_partition = nodes && device_path_partition(nodes, device_path_size(nodes), ret_partition);

	return is_partition && ret_partition->is_gpt ? ret_partition->partuuid : NULL;
}

static void set_image(void)
{
	char value[LOADER_VALUE_SIZE];
	struct partition_path partition;

	if (image_identifier(value))
		set(L"LoaderImageIdentifier", value);
	if (image_partuuid(&partition))
		set(L"LoaderDevicePartUUID", partition.partuuid);
}

/* Only the first loader sets this: no other loader ran before us, or only we ourselves. */
static void set_features(void)
{
	static const uint64_t features = LOADER_FEATURES;

	if (!loader_is_stub(before))
		replace(L"LoaderFeatures", &features, sizeof(features));
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
 * Whether the program that started us lies on a volume, like a boot menu. The firmware's boot manager is no parent at
 * all (UEFI specification 9.1.1), or lies in the firmware, like a built-in shell. A shell on a volume counts as a menu:
 * it also continues after a success.
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
	own_image = image;
	planted_delete();
	before = find_loader_before();
	/* LoaderInfo may be from a menu that ended, before the firmware went on in its boot order. */
	has_menu = before == LOADER_BEFORE_MENU && is_started_from_a_volume(image);
	set_time(L"LoaderTimeInitUSec");
	set(L"LoaderInfo", "kexec-efi " KEXEC_EFI_VERSION);
	set_image();
	set_features();
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

/* Only a stub sets these. We replace the values of an earlier stub. */
static const CHAR16 stub_names[][20] = {
	L"StubInfo", L"StubFeatures", L"StubProfile", L"StubImageIdentifier", L"StubDevicePartUUID",
};

static void report_stub(const struct boot_plan *plan, bool is_unified)
{
	static const uint64_t features = STUB_FEATURES;
	struct partition_path partition;
	char value[LOADER_VALUE_SIZE];

	replace_text(L"StubInfo", "kexec-efi " KEXEC_EFI_VERSION);
	replace(L"StubFeatures", &features, sizeof(features));
	format_text(value, sizeof(value), "%u", plan->profile);
	replace_text(L"StubProfile", is_unified ? value : NULL);
	replace_text(L"StubImageIdentifier", image_identifier(value));
	replace_text(L"StubDevicePartUUID", image_partuuid(&partition));
	has_reported_stub = true;
}

void loader_interface_finish(const struct boot_plan *plan, bool is_unified)
{
	const char *entry = loader_entry_selected(plan);

	if (is_unified || loader_is_stub(before))
		report_stub(plan, is_unified);
	if (entry && !loader_is_stub(before))
		has_reported_entry = set(L"LoaderEntrySelected", entry);
	leave_log();
	set_time(L"LoaderTimeExecUSec");
}

void loader_interface_take_back(void)
{
	for (size_t i = 0; has_reported_stub && i < ARRAY_SIZE(stub_names); i++)
		take_back(stub_names[i]);
	if (has_reported_entry)
		take_back(L"LoaderEntrySelected");
	has_reported_stub = false;
	has_reported_entry = false;
}

EFI_STATUS loader_interface_failed(EFI_STATUS status)
{
	if (!has_menu)
		return status;
	log_info("back to the boot menu in %u seconds, or by a key", FAILURE_SHOWN_SECONDS);
	console_wait_for_key(FAILURE_SHOWN_SECONDS);
	return EFI_SUCCESS;
}
