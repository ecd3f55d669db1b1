// SPDX-License-Identifier: BSD-2-Clause
/* Reads the variables that say whether Secure Boot is on (UEFI specification 3.3 and 32.3). */
#include "efi/secureboot.h"

#include "boot/log.h"
#include "efi/firmware.h"

/* Reads a variable of one byte. */
static EFI_STATUS get_byte(CHAR16 *name, EFI_GUID *guid, UINT32 *ret_attributes, uint8_t *ret_value)
{
	UINTN size = sizeof(*ret_value);

	return firmware_runtime_services->GetVariable(name, guid, ret_attributes, &size, ret_value);
}

enum secure_boot_mode secure_boot_mode(void)
{
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	EFI_GUID shim = { 0x605dab50, 0xe046, 0x4300, { 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 } };
	uint8_t secure_boot = 0;
	uint8_t setup_mode = 0;
	uint8_t mok_state = 0;
	UINT32 attributes;
	EFI_STATUS status;

	status = get_byte(L"SecureBoot", &global, NULL, &secure_boot);
	if (status == EFI_NOT_FOUND)
		return SECURE_BOOT_DISABLED;
	if (EFI_ERROR(status) || EFI_ERROR(get_byte(L"SetupMode", &global, NULL, &setup_mode)))
		return SECURE_BOOT_UNKNOWN;
	if (secure_boot == 0 || setup_mode == 1)
		return SECURE_BOOT_DISABLED;

	/* A machine owner may have switched shim's validation off; a variable that anybody can set does not count. */
	status = get_byte(L"MokSBStateRT", &shim, &attributes, &mok_state);
	if (!EFI_ERROR(status) && !(attributes & EFI_VARIABLE_NON_VOLATILE) && mok_state == 1)
		return SECURE_BOOT_DISABLED;
	return SECURE_BOOT_ENABLED;
}

enum kexec_status secure_boot_check(const struct entry *entry)
{
	if (entry->require_signature)
		return log_error(KEXEC_UNSUPPORTED, "%s: signature: this version cannot verify signatures",
				 entry->source);
	if (secure_boot_mode() != SECURE_BOOT_DISABLED)
		return log_error(KEXEC_UNSUPPORTED,
				 "Secure Boot: expected it off, for this version cannot verify signatures");
	return KEXEC_OK;
}
