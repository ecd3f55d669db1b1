// SPDX-License-Identifier: BSD-2-Clause
/* Gives each screen the EDID of a monitor (UEFI specification 12.9). OVMF's drivers give none. */
#include "boot/bootparams.h"
#include "efi/services/firmware.h"
#include "tests/firmware/difficult.h"

/* Both protocols have the same interface. */
static uint8_t edid[EDID_SIZE];
static EFI_EDID_ACTIVE_PROTOCOL interface = { .SizeOfEdid = sizeof(edid), .Edid = edid };

void edid_install(uint64_t kind)
{
	EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GUID active_guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;
	EFI_GUID discovered_guid = EFI_EDID_DISCOVERED_PROTOCOL_GUID;
	EFI_HANDLE *handles;
	UINTN count;

	for (unsigned i = 0; i < sizeof(edid); i++)
		edid[i] = (uint8_t)(3 * i + kind);
	if (EFI_ERROR(original_services.LocateHandleBuffer(ByProtocol, &gop_guid, NULL, &count, &handles)))
		return;
	for (UINTN i = 0; i < count; i++)
		original_services.InstallProtocolInterface(&handles[i], kind == 1 ? &active_guid : &discovered_guid,
							   EFI_NATIVE_INTERFACE, &interface);
	original_services.FreePool(handles);
}
