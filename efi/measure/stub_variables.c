// SPDX-License-Identifier: BSD-2-Clause
#include "efi/measure/stub_variables.h"

#include <efi.h>

#include "boot/log.h"
#include "common/align.h"
#include "common/vendor.h"
#include "efi/measure/events.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"

static const struct {
	const CHAR16 *name;
	enum event_group group;
	uint16_t value[3]; /* the register, in decimal */
} variables[] = {
	{ L"StubPcrKernelImage", EVENTS_OF_IMAGE, L"11" },
	{ L"StubPcrKernelParameters", EVENTS_OF_PARAMETERS, L"12" },
	{ L"StubPcrInitRDSysExts", EVENTS_OF_SYSEXTS, L"13" },
	{ L"StubPcrInitRDConfExts", EVENTS_OF_CONFEXTS, L"12" },
};

static EFI_STATUS set(size_t index)
{
	EFI_GUID vendor = LOADER_VENDOR_GUID;

	return firmware_runtime_services->SetVariable((CHAR16 *)variables[index].name, &vendor, VARIABLE_BOOT_RUNTIME,
						      sizeof(variables[index].value), (void *)variables[index].value);
}

/* Deletes the variable only if it exists, because firmware might complain otherwise. */
static EFI_STATUS take_back(size_t index)
{
	const struct variable variable = { .name = variables[index].name, .vendor = LOADER_VENDOR_GUID };
	struct variable_reading reading;

	return variable_look(&variable, &reading) == VARIABLE_ABSENT ? EFI_SUCCESS : variable_delete(&variable);
}

void stub_variables_set(void)
{
	EFI_STATUS failure = EFI_SUCCESS;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		EFI_STATUS status = events_are_complete(variables[i].group) ? set(i) : take_back(i);

		if (status != EFI_SUCCESS)
			failure = status;
	}
	if (failure != EFI_SUCCESS)
		log_warning("systemd is not told what was measured: the firmware does not take variables: %s",
			    efi_status_name(failure));
}

void stub_variables_delete(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		take_back(i);
}
