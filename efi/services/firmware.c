// SPDX-License-Identifier: BSD-2-Clause
/* Helpers for all of efi/. */
#include "efi/services/firmware.h"

#include "boot/imagepath.h"
#include "common/align.h"
#include "common/cpu.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/cpu_mode.h"

#define WATCHDOG_SECONDS 300

/* Any code above 0xffff is free for the operating system's loader (UEFI specification 7.5.1). */
#define WATCHDOG_CODE 0x10000

EFI_HANDLE firmware_image;
EFI_SYSTEM_TABLE *firmware_system_table;
EFI_BOOT_SERVICES *firmware_boot_services;
EFI_RUNTIME_SERVICES *firmware_runtime_services;

/* As the firmware left them. */
static struct control_registers firmware_registers;

/* Writes only what differs: a hypervisor may intercept it. */
static void set_control_registers(struct control_registers wanted)
{
	struct control_registers found = cpu_control_registers();

	if (wanted.cr0 != found.cr0)
		__asm__ volatile("mov %0, %%cr0" : : "r"(wanted.cr0) : "memory");
	if (wanted.cr4 != found.cr4)
		__asm__ volatile("mov %0, %%cr4" : : "r"(wanted.cr4) : "memory");
}

void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
	firmware_image = image;
	firmware_system_table = system_table;
	firmware_boot_services = system_table->BootServices;
	firmware_runtime_services = system_table->RuntimeServices;
	if (!cpu_is_privileged())
		return;
	firmware_registers = cpu_control_registers();
	set_control_registers(control_registers_for_vectors(firmware_registers));
}

/* Indexed by the status without its error bit. Not pointers, because each would cost a relocation. */
static const char status_names[][21] = {
	"SUCCESS",	    "LOAD_ERROR",	    "INVALID_PARAMETER",
	"UNSUPPORTED",	    "BAD_BUFFER_SIZE",	    "BUFFER_TOO_SMALL",
	"NOT_READY",	    "DEVICE_ERROR",	    "WRITE_PROTECTED",
	"OUT_OF_RESOURCES", "VOLUME_CORRUPTED",	    "VOLUME_FULL",
	"NO_MEDIA",	    "MEDIA_CHANGED",	    "NOT_FOUND",
	"ACCESS_DENIED",    "NO_RESPONSE",	    "NO_MAPPING",
	"TIMEOUT",	    "NOT_STARTED",	    "ALREADY_STARTED",
	"ABORTED",	    "ICMP_ERROR",	    "TFTP_ERROR",
	"PROTOCOL_ERROR",   "INCOMPATIBLE_VERSION", "SECURITY_VIOLATION",
	"CRC_ERROR",	    "END_OF_MEDIA",	    [31] = "END_OF_FILE",
	"INVALID_LANGUAGE", "COMPROMISED_DATA",	    "IP_ADDRESS_CONFLICT",
	"HTTP_ERROR",
};

const char *efi_status_name(EFI_STATUS status)
{
	static char number[sizeof("EFI_STATUS 0x8000000000000000")];
	EFI_STATUS code = status & ~EFI_ERROR_MASK;

	/* Warnings share the codes of errors, and have no names here. */
	if ((status == EFI_SUCCESS || EFI_ERROR(status)) && code < ARRAY_SIZE(status_names) && status_names[code][0])
		return status_names[code];
	format_text(number, sizeof(number), "EFI_STATUS 0x%016lx", status);
	return number;
}

/* All other EFI_STATUS become KEXEC_IO. */
static const struct {
	EFI_STATUS efi;
	enum kexec_status kexec;
} meanings[] = {
	{ EFI_SUCCESS, KEXEC_OK },
	{ EFI_LOAD_ERROR, KEXEC_BAD_FORMAT },
	{ EFI_UNSUPPORTED, KEXEC_UNSUPPORTED },
	{ EFI_OUT_OF_RESOURCES, KEXEC_NO_MEMORY },
	{ EFI_NOT_FOUND, KEXEC_NOT_FOUND },
	{ EFI_END_OF_FILE, KEXEC_TRUNCATED },
	{ EFI_BAD_BUFFER_SIZE, KEXEC_TOO_LARGE },
	{ EFI_SECURITY_VIOLATION, KEXEC_MISMATCH },
	{ EFI_ACCESS_DENIED, KEXEC_DENIED },
	{ EFI_DEVICE_ERROR, KEXEC_IO },
};

enum kexec_status status_from_efi(EFI_STATUS status)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].efi == status)
			return meanings[i].kexec;
	}
	return KEXEC_IO;
}

EFI_STATUS status_to_efi(enum kexec_status status)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].kexec == status)
			return meanings[i].efi;
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
	set_control_registers(control_registers_as_before(cpu_control_registers(), firmware_registers));
	firmware_boot_services->Exit(firmware_image, status, 0, NULL);
	/* Exit fails only for an image that is not running. */
	cpu_halt();
}
