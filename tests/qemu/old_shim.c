// SPDX-License-Identifier: BSD-2-Clause
/*
 * Simulates a shim before version 16, which Debian no longer packages. It starts \kexec.efi with its own load options,
 * offers SHIM_LOCK, and refuses ExitBootServices until a caller has asked about a kernel. It vouches for files that end
 * with MARK, and measures first the file, then the key that verified it.
 */
#include "boot/log.h"
#include "common/cpu.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/trust/shim.h"
#include "efi/measure/tpm.h"
#include "tests/qemu/lib/chain.h"

#define MARK "old shim knows this kernel"

static bool was_asked;
static EFI_EXIT_BOOT_SERVICES exit_boot_services;

/*
 * Like shim's tpm_log_pe and tpm_measure_variable. 0x800000e0 is EV_EFI_VARIABLE_AUTHORITY, which the loader itself
 * does not use.
 */
static void measure(const void *bytes, uint64_t size)
{
	static const uint8_t log[32];
	struct tpm_event image = {
		.what = "kernel by the old shim",
		.pcr = 4,
		.type = TPM_EVENT_BOOT_SERVICES_APPLICATION,
		.bytes = bytes,
		.size = size,
		.as_image = true,
		.log = log,
		.log_size = sizeof(log),
	};
	struct tpm_event authority = image;

	authority.pcr = 7;
	authority.type = (enum tpm_event_type)0x800000e0;
	authority.bytes = MARK;
	authority.size = sizeof(MARK);
	tpm_measure(&image);
	tpm_measure(&authority);
}

/* Not EFIAPI, as in shim. */
static EFI_STATUS verify(const void *bytes, uint32_t size)
{
	size_t length = sizeof(MARK) - 1;
	bool known = size > length && memcmp((const uint8_t *)bytes + size - length, MARK, length) == 0;

	was_asked = true;
	measure(bytes, size);
	log_info("old shim: asked about %u bytes: %s", size, known ? "known" : "unknown");
	return known ? EFI_SUCCESS : EFI_SECURITY_VIOLATION;
}

static EFI_STATUS EFIAPI guarded_exit(EFI_HANDLE handle, UINTN key)
{
	if (was_asked)
		return exit_boot_services(handle, key);
	log_info("old shim: nobody has asked, halting");
	cpu_halt();
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	static struct shim_lock lock = { .verify = verify };
	EFI_GUID lock_guid = SHIM_LOCK_GUID;
	EFI_HANDLE second_stage;
	EFI_HANDLE lock_handle = NULL;
	EFI_STATUS status;

	firmware_init(handle, system_table);
	second_stage = chain_load();
	tpm_find();
	exit_boot_services = firmware_boot_services->ExitBootServices;
	firmware_boot_services->ExitBootServices = guarded_exit;
	firmware_boot_services->InstallProtocolInterface(&lock_handle, &lock_guid, EFI_NATIVE_INTERFACE, &lock);
	status = firmware_boot_services->StartImage(second_stage, NULL, NULL);
	firmware_boot_services->UninstallProtocolInterface(lock_handle, &lock_guid, &lock);
	firmware_boot_services->ExitBootServices = exit_boot_services;
	firmware_leave(status);
}
