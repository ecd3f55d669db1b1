// SPDX-License-Identifier: BSD-2-Clause
/* Reads the variables that say whether Secure Boot is on (UEFI specification 3.3 and 32.3). */
#include "efi/trust/secureboot.h"

#include "efi/services/firmware.h"
#include "efi/trust/shim.h"

/* Reads a variable of one byte. One of another size is an error. */
static EFI_STATUS get_byte(CHAR16 *name, EFI_GUID *guid, UINT32 *ret_attributes, uint8_t *ret_value)
{
	UINTN size = sizeof(*ret_value);
	EFI_STATUS status = firmware_runtime_services->GetVariable(name, guid, ret_attributes, &size, ret_value);

	return status == EFI_SUCCESS && size != sizeof(*ret_value) ? EFI_DEVICE_ERROR : status;
}

/* What the firmware itself says, whatever shim was told. */
static enum secure_boot_mode firmware_mode(void)
{
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	uint8_t secure_boot = 0;
	uint8_t setup_mode = 0;
	EFI_STATUS status;

	status = get_byte(L"SecureBoot", &global, NULL, &secure_boot);
	if (status == EFI_NOT_FOUND)
		return SECURE_BOOT_DISABLED;
	if (EFI_ERROR(status) || EFI_ERROR(get_byte(L"SetupMode", &global, NULL, &setup_mode)))
		return SECURE_BOOT_UNKNOWN;
	return secure_boot == 0 || setup_mode == 1 ? SECURE_BOOT_DISABLED : SECURE_BOOT_ENABLED;
}

enum secure_boot_mode secure_boot_mode(void)
{
	EFI_GUID shim = SHIM_LOCK_GUID;
	enum secure_boot_mode mode = firmware_mode();
	uint8_t mok_state = 0;
	UINT32 attributes;
	EFI_STATUS status;

	if (mode != SECURE_BOOT_ENABLED)
		return mode;
	/* A machine owner may have switched shim's validation off; a variable that anybody can set does not count. */
	status = get_byte(L"MokSBStateRT", &shim, &attributes, &mok_state);
	if (!EFI_ERROR(status) && !(attributes & EFI_VARIABLE_NON_VOLATILE) && mok_state == 1)
		return SECURE_BOOT_DISABLED;
	return SECURE_BOOT_ENABLED;
}

bool secure_boot_enforced(void)
{
	return firmware_mode() != SECURE_BOOT_DISABLED;
}
