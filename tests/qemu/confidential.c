// SPDX-License-Identifier: BSD-2-Clause
/*
 * Simulates the firmware of a confidential guest, for which QEMU would need special hardware: offers
 * EFI_CC_MEASUREMENT_PROTOCOL (UEFI specification 38.2), prints its measurements, and starts the loader. With any load
 * options, every measurement fails.
 */
#include "boot/log.h"
#include "common/digest_text.h"
#include "common/sha256.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "tests/qemu/lib/chain.h"

/* EFI_CC_EVENT */
struct __attribute__((packed)) cc_event {
	uint32_t size;
	uint32_t header_size;
	uint16_t header_version;
	uint32_t mr_index;
	uint32_t type;
	uint8_t event[];
};

static bool fails;

static EFI_STATUS EFIAPI unsupported(void)
{
	return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI hash_log_extend(void *this, UINT64 flags, EFI_PHYSICAL_ADDRESS bytes, UINT64 size,
					 const struct cc_event *event)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char text[DIGEST_TEXT_SIZE];

	(void)this;
	if (fails)
		return EFI_DEVICE_ERROR;
	if (event->header_size != 14 || event->header_version != 1 || event->size < sizeof(*event))
		return EFI_INVALID_PARAMETER;
	sha256_of((const void *)(uintptr_t)bytes, size, digest);
	format_digest(text, digest);
	log_info("cc: register %u type 0x%x flags 0x%lx event of %lu bytes: sha256 %s", event->mr_index, event->type,
		 flags, (uint64_t)event->size - sizeof(*event), text);
	return EFI_SUCCESS;
}

/* The table of UEFI specification 38.4.1: registers of TDX. */
static EFI_STATUS EFIAPI map_pcr(void *this, UINT32 pcr, UINT32 *ret_index)
{
	(void)this;
	*ret_index = pcr == 0 ? 0 : pcr == 1 || pcr == 7 ? 1 : pcr <= 6 ? 2 : 3;
	return EFI_SUCCESS;
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	static void *protocol[] = { unsupported, unsupported, hash_log_extend, map_pcr };
	EFI_GUID cc_guid = { 0x96751a3d, 0x72f4, 0x41a6, { 0xa7, 0x94, 0xed, 0x5d, 0x0e, 0x67, 0xae, 0x6b } };
	EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
	EFI_HANDLE protocol_handle = NULL;
	EFI_HANDLE loader;
	EFI_LOADED_IMAGE *own;

	firmware_init(handle, system_table);
	firmware_boot_services->HandleProtocol(handle, &image_guid, (void **)&own);
	fails = own->LoadOptions && own->LoadOptionsSize;
	loader = chain_load();
	firmware_boot_services->InstallProtocolInterface(&protocol_handle, &cc_guid, EFI_NATIVE_INTERFACE, protocol);
	firmware_leave(firmware_boot_services->StartImage(loader, NULL, NULL));
}
