// SPDX-License-Identifier: BSD-2-Clause
/*
 * Registers \registered as the initrd for the next program, as GRUB and U-Boot do, and starts \kexec.efi with its own
 * path and load options: once for each fault of the registered initrd, then with a correct one.
 */
#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/source/stream.h"
#include "efi/source/volume.h"
#include "tests/qemu/lib/chain.h"

static const struct fault {
	const char *name;
	EFI_STATUS size_status; /* of the call that asks for the size */
	EFI_STATUS load_status;
	uint64_t more; /* the call reports this many bytes more than the size; modulo 2^64 */
} faults[] = {
	{ "no size", EFI_DEVICE_ERROR, EFI_SUCCESS, 0 },
	{ "no content", EFI_BUFFER_TOO_SMALL, EFI_DEVICE_ERROR, 0 },
	{ "too short", EFI_BUFFER_TOO_SMALL, EFI_SUCCESS, (uint64_t)-1 },
	{ "none", EFI_BUFFER_TOO_SMALL, EFI_SUCCESS, 0 },
};

static struct {
	const struct fault *fault;
	void *bytes;
	uint64_t size;
} initrd;

static EFI_STATUS EFIAPI load(EFI_LOAD_FILE_PROTOCOL *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size,
			      void *buffer)
{
	(void)self;
	(void)path;
	if (boot_policy)
		return EFI_UNSUPPORTED;
	if (!buffer || *size < initrd.size) {
		*size = initrd.size;
		return initrd.fault->size_status;
	}
	memcpy(buffer, initrd.bytes, initrd.size);
	*size = initrd.size + initrd.fault->more;
	return initrd.fault->load_status;
}

static void read_initrd(void)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *own;
	struct volume volume;
	struct stream stream;

	if (EFI_ERROR(firmware_boot_services->HandleProtocol(firmware_image, &guid, (void **)&own)))
		firmware_leave(EFI_NOT_FOUND);
	volume_start(&volume, own->DeviceHandle, VOLUME_OWN);
	if (stream_open(&volume.source, "/registered", &stream))
		firmware_leave(EFI_NOT_FOUND);
	initrd.size = stream.file.size;
	if (EFI_ERROR(firmware_boot_services->AllocatePool(EfiLoaderData, initrd.size, &initrd.bytes)) ||
	    stream_read(&stream, (uintptr_t)initrd.bytes, initrd.size, NULL))
		firmware_leave(EFI_LOAD_ERROR);
	stream_close(&stream);
	volume_close(&volume);
}

static void register_initrd(void)
{
	static struct {
		VENDOR_DEVICE_PATH vendor;
		EFI_DEVICE_PATH end;
	} path = {
		.vendor = { .Header = { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { 20, 0 } },
			    .Guid = { 0x5568e427,
				      0x68fc,
				      0x4f3d,
				      { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } } },
		.end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { 4, 0 } },
	};
	static EFI_LOAD_FILE_PROTOCOL protocol = { .LoadFile = load };
	EFI_GUID load_file2 = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
	EFI_GUID device_path = DEVICE_PATH_PROTOCOL;
	EFI_HANDLE handle = NULL;

	firmware_boot_services->InstallProtocolInterface(&handle, &device_path, EFI_NATIVE_INTERFACE, &path);
	firmware_boot_services->InstallProtocolInterface(&handle, &load_file2, EFI_NATIVE_INTERFACE, &protocol);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	EFI_STATUS status = EFI_SUCCESS;

	firmware_init(handle, system_table);
	read_initrd();
	register_initrd();
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		initrd.fault = &faults[i];
		status = firmware_boot_services->StartImage(chain_load(), NULL, NULL);
		log_info("register: %s: %s", faults[i].name, efi_status_name(status));
	}
	firmware_leave(status);
}
