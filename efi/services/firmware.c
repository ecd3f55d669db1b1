// SPDX-License-Identifier: BSD-2-Clause
/* Small things that everything on the firmware's side needs. */
#include "efi/services/firmware.h"

#include "boot/imagepath.h"
#include "common/align.h"
#include "common/cpu.h"
#include "common/string.h"

#define WATCHDOG_SECONDS 300

/* Any code above 0xffff is free for the operating system's loader (UEFI specification 7.5.1). */
#define WATCHDOG_CODE 0x10000

EFI_HANDLE firmware_image;
EFI_SYSTEM_TABLE *firmware_system_table;
EFI_BOOT_SERVICES *firmware_boot_services;
EFI_RUNTIME_SERVICES *firmware_runtime_services;

void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
	firmware_image = image;
	firmware_system_table = system_table;
	firmware_boot_services = system_table->BootServices;
	firmware_runtime_services = system_table->RuntimeServices;
}

static const struct {
	EFI_STATUS efi;
	enum kexec_status kexec;
	const char *name;
} statuses[] = {
	{ EFI_SUCCESS, KEXEC_OK, "SUCCESS" },
	{ EFI_LOAD_ERROR, KEXEC_BAD_FORMAT, "LOAD_ERROR" },
	{ EFI_UNSUPPORTED, KEXEC_UNSUPPORTED, "UNSUPPORTED" },
	{ EFI_OUT_OF_RESOURCES, KEXEC_NO_MEMORY, "OUT_OF_RESOURCES" },
	{ EFI_NOT_FOUND, KEXEC_NOT_FOUND, "NOT_FOUND" },
	{ EFI_END_OF_FILE, KEXEC_TRUNCATED, "END_OF_FILE" },
	{ EFI_BAD_BUFFER_SIZE, KEXEC_TOO_LARGE, "BAD_BUFFER_SIZE" },
	{ EFI_SECURITY_VIOLATION, KEXEC_MISMATCH, "SECURITY_VIOLATION" },
	{ EFI_ACCESS_DENIED, KEXEC_DENIED, "ACCESS_DENIED" },
	{ EFI_DEVICE_ERROR, KEXEC_IO, "DEVICE_ERROR" },
	{ EFI_INVALID_PARAMETER, KEXEC_IO, "INVALID_PARAMETER" },
	{ EFI_BUFFER_TOO_SMALL, KEXEC_IO, "BUFFER_TOO_SMALL" },
	{ EFI_NOT_READY, KEXEC_IO, "NOT_READY" },
	{ EFI_WRITE_PROTECTED, KEXEC_IO, "WRITE_PROTECTED" },
	{ EFI_VOLUME_CORRUPTED, KEXEC_IO, "VOLUME_CORRUPTED" },
	{ EFI_VOLUME_FULL, KEXEC_IO, "VOLUME_FULL" },
	{ EFI_NO_MEDIA, KEXEC_IO, "NO_MEDIA" },
	{ EFI_MEDIA_CHANGED, KEXEC_IO, "MEDIA_CHANGED" },
	{ EFI_TIMEOUT, KEXEC_IO, "TIMEOUT" },
	{ EFI_ABORTED, KEXEC_IO, "ABORTED" },
};

const char *efi_status_name(EFI_STATUS status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].efi == status)
			return statuses[i].name;
	}
	return "an unknown error";
}

enum kexec_status status_from_efi(EFI_STATUS status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].efi == status)
			return statuses[i].kexec;
	}
	return KEXEC_IO;
}

/* The first status that stands for it: the table begins with those that are not a failed device's. */
EFI_STATUS status_to_efi(enum kexec_status status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].kexec == status)
			return statuses[i].efi;
	}
	return EFI_ABORTED;
}

void *firmware_protocol_on(EFI_HANDLE handle, const EFI_GUID *guid)
{
	void *interface = NULL;

	if (EFI_ERROR(firmware_boot_services->HandleProtocol(handle, (EFI_GUID *)guid, &interface)))
		return NULL;
	return interface;
}

void *firmware_protocol(const EFI_GUID *guid)
{
	void *interface = NULL;

	if (EFI_ERROR(firmware_boot_services->LocateProtocol((EFI_GUID *)guid, NULL, &interface)))
		return NULL;
	return interface;
}

void *firmware_config_table(const EFI_GUID *guid)
{
	for (UINTN i = 0; i < firmware_system_table->NumberOfTableEntries; i++) {
		EFI_CONFIGURATION_TABLE *table = &firmware_system_table->ConfigurationTable[i];

		if (memcmp(&table->VendorGuid, guid, sizeof(*guid)) == 0)
			return table->VendorTable;
	}
	return NULL;
}

size_t device_path_size(const EFI_DEVICE_PATH *path)
{
	const uint8_t *bytes = (const uint8_t *)path;
	size_t size = 0;

	while (size < IMAGE_PATH_NODES_SIZE_MAX) {
		size_t length = bytes[size + 2] | (size_t)bytes[size + 3] << 8;

		if (length < sizeof(EFI_DEVICE_PATH) || (bytes[size] & 0x7f) == END_DEVICE_PATH_TYPE)
			return size + sizeof(EFI_DEVICE_PATH);
		size += length;
	}
	return size;
}

void firmware_feed_watchdog(void)
{
	/* Firmware without a watchdog refuses, and needs no feeding. */
	firmware_boot_services->SetWatchdogTimer(WATCHDOG_SECONDS, WATCHDOG_CODE, 0, NULL);
}

_Noreturn void firmware_leave(EFI_STATUS status)
{
	firmware_boot_services->SetWatchdogTimer(0, 0, 0, NULL);
	firmware_boot_services->Exit(firmware_image, status, 0, NULL);
	/* Exit refuses only what is not the running image. */
	cpu_halt();
}
