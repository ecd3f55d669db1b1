// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the variables that say whether Secure Boot is on (UEFI specification 3.3 and 32.3).
 *
 * The specification's table of global variables gives SecureBoot and SetupMode the attributes BS and RT, and firmware
 * with Secure Boot makes both anew at each start (edk2: AuthVariableLibInitialize). No operating system can write a
 * volatile variable, so one that is non-volatile was planted, on firmware that does not know the name.
 *
 * No unsigned image is loaded to see whether the platform accepts it: some firmware measures an image before it judges
 * it, and PCR 4 could not be predicted any more.
 */
#include "efi/trust/secureboot.h"

#include "common/format.h"
#include "efi/services/firmware.h"
#include "efi/trust/shim.h"

static const struct variable secure_boot_variable = {
	.name = L"SecureBoot",
	.vendor = EFI_GLOBAL_VARIABLE,
	.required = VARIABLE_BOOT_RUNTIME,
	.forbidden = VARIABLE_STORED,
	.size_min = 1,
	.size_max = 1,
};

static const struct variable setup_mode_variable = {
	.name = L"SetupMode",
	.vendor = EFI_GLOBAL_VARIABLE,
	.required = VARIABLE_BOOT_RUNTIME,
	.forbidden = VARIABLE_STORED,
	.size_min = 1,
	.size_max = 1,
};

/* Shim's copy for the operating system (github.com/rhboot/shim, mok.c: mirror_one_mok_variable). */
static const struct variable mok_state_copy = {
	.name = L"MokSBStateRT",
	.vendor = SHIM_LOCK_GUID,
	.required = VARIABLE_BOOT_RUNTIME,
	.forbidden = VARIABLE_STORED,
	.size_min = 1,
	.size_max = 1,
};

/* Shim's own state, with the attributes that shim expects (mok.c: mok_state_variables). */
static const struct variable mok_state = {
	.name = L"MokSBState",
	.vendor = SHIM_LOCK_GUID,
	.required = VARIABLE_BOOT | VARIABLE_STORED,
	.forbidden = EFI_VARIABLE_RUNTIME_ACCESS,
	.size_min = 1,
	.size_max = 1,
};

enum answer { NO, YES, UNKNOWN };

/* The firmware's two variables. */
struct firmware_says {
	enum variable_state secure_boot_state;
	enum variable_state setup_mode_state;
	struct variable_reading secure_boot_reading;
	struct variable_reading setup_mode_reading;
	uint8_t secure_boot;
	uint8_t setup_mode;
};

static struct firmware_says ask_firmware(void)
{
	struct firmware_says says = { 0 };

	says.secure_boot_state = variable_read(&secure_boot_variable, &says.secure_boot, &says.secure_boot_reading);
	says.setup_mode_state = variable_read(&setup_mode_variable, &says.setup_mode, &says.setup_mode_reading);
	return says;
}

/* Firmware without the variable has no Secure Boot. All values but 0 and 1 are reserved. */
static enum answer is_on(const struct firmware_says *says)
{
	if (says->secure_boot_state == VARIABLE_ABSENT)
		return NO;
	if (says->secure_boot_state != VARIABLE_FOUND || says->setup_mode_state != VARIABLE_FOUND)
		return UNKNOWN;
	if (says->secure_boot > 1 || says->setup_mode > 1)
		return UNKNOWN;
	return says->secure_boot == 1 && says->setup_mode == 0 ? YES : NO;
}

/*
 * Whether shim's validation is off. For shim any value but 0 means off, for the kernel's stub only 1. Shim before
 * version 15 makes no copy of its state. Without shim the state means nothing, and neither does a variable with other
 * attributes than shim's own.
 */
static enum answer is_validation_off(void)
{
	EFI_GUID lock_guid = SHIM_LOCK_GUID;
	EFI_GUID loader_guid = SHIM_IMAGE_LOADER_GUID;
	struct variable_reading reading;
	enum variable_state state;
	uint8_t value;

	state = variable_read(&mok_state_copy, &value, &reading);
	if ((state == VARIABLE_ABSENT || state == VARIABLE_WRONG_ATTRIBUTES) &&
	    (firmware_protocol(&lock_guid) || firmware_protocol(&loader_guid)))
		state = variable_read(&mok_state, &value, &reading);
	if (state == VARIABLE_ABSENT || state == VARIABLE_WRONG_ATTRIBUTES)
		return NO;
	if (state != VARIABLE_FOUND || value > 1)
		return UNKNOWN;
	return value == 1 ? YES : NO;
}

/* Looks only at the values, as shim does, and not at the attributes (lib/variables.c, shim.c: secure_mode). */
static bool shim_believes_it_on(void)
{
	struct variable secure_boot = secure_boot_variable;
	struct variable setup_mode = setup_mode_variable;
	struct variable_reading reading;
	uint8_t value;

	secure_boot.required = setup_mode.required = 0;
	secure_boot.forbidden = setup_mode.forbidden = 0;
	if (variable_read(&secure_boot, &value, &reading) != VARIABLE_FOUND || value != 1)
		return false;
	return variable_read(&setup_mode, &value, &reading) != VARIABLE_FOUND || value != 1;
}

bool secure_boot_may_be_on(void)
{
	struct firmware_says says = ask_firmware();

	return is_on(&says) != NO;
}

bool secure_boot_is_on(void)
{
	struct firmware_says says = ask_firmware();

	return is_on(&says) == YES;
}

bool secure_boot_shim_judges(void)
{
	return shim_believes_it_on() && is_validation_off() == NO;
}

enum secure_boot_mode secure_boot_mode(void)
{
	struct firmware_says says = ask_firmware();
	enum answer on = is_on(&says);

	if (on != YES)
		return on == NO ? SECURE_BOOT_DISABLED : SECURE_BOOT_UNKNOWN;
	return is_validation_off() == YES ? SECURE_BOOT_DISABLED : SECURE_BOOT_ENABLED;
}

void secure_boot_explain(char ret_text[SECURE_BOOT_EXPLANATION_SIZE])
{
	struct firmware_says says = ask_firmware();
	char why[VARIABLE_EXPLANATION_SIZE];
	bool is_setup_mode = says.secure_boot_state == VARIABLE_FOUND && says.secure_boot <= 1;

	if (is_on(&says) != UNKNOWN) {
		format_text(ret_text, SECURE_BOOT_EXPLANATION_SIZE, "found it %s", is_on(&says) == YES ? "on" : "off");
		return;
	}
	if (is_setup_mode && says.setup_mode_state != VARIABLE_FOUND)
		variable_explain(&setup_mode_variable, says.setup_mode_state, &says.setup_mode_reading, why);
	else if (says.secure_boot_state != VARIABLE_FOUND)
		variable_explain(&secure_boot_variable, says.secure_boot_state, &says.secure_boot_reading, why);
	else
		format_text(why, sizeof(why), "expected 0 or 1, found %u",
			    is_setup_mode ? says.setup_mode : says.secure_boot);
	format_text(ret_text, SECURE_BOOT_EXPLANATION_SIZE, "found it unknown: %s: %s",
		    is_setup_mode ? "SetupMode" : "SecureBoot", why);
}
