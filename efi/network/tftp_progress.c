// SPDX-License-Identifier: BSD-2-Clause
/* Counts packets. */
#include "efi/network/tftp_progress.h"

#include "efi/services/clock.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"

/* The size of opcode and block number, in front of the data (RFC 1350, 5). */
#define DATA_HEADER_SIZE 4

/* About 1.5 MB. */
#define PACKETS_PER_FEED 1024

/* EFI_MTFTP4_SERVICE_BINDING_PROTOCOL (UEFI specification 30.3.1) is on the handle of the network device itself. */
#define MTFTP4_SERVICE_BINDING_GUID                                                                                    \
	{                                                                                                              \
		0x2fe800be, 0x8f01, 0x4aa6,                                                                            \
		{                                                                                                      \
			0x94, 0x6b, 0xd7, 0x13, 0x88, 0xe1, 0x83, 0x3f                                                 \
		}                                                                                                      \
	}

static void show(struct tftp_progress *progress)
{
	const struct tftp_file *file = progress->file;
	uint64_t now = clock_usec();

	if (now < progress->next_usec || progress->arrived >= file->size)
		return;
	progress->next_usec = now + PROGRESS_INTERVAL_USEC;
	console_progress(file->name, (unsigned)(progress->arrived * 100 / file->size),
			 progress->arrived / (now - progress->start_usec));
}

static EFI_PXE_BASE_CODE_CALLBACK_STATUS EFIAPI take_packet(EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL *self,
							    EFI_PXE_BASE_CODE_FUNCTION function, BOOLEAN received,
							    UINT32 size, EFI_PXE_BASE_CODE_PACKET *packet)
{
	struct tftp_progress *progress = (struct tftp_progress *)self;

	(void)packet;
	/* edk2 passes the function that it carried out last, DHCP. During a read no other packets arrive. */
	(void)function;
	if (received && size > DATA_HEADER_SIZE) {
		progress->arrived += size - DATA_HEADER_SIZE;
		if (++progress->packets % PACKETS_PER_FEED == 0)
			firmware_feed_watchdog();
		show(progress);
	}
	return EFI_PXE_BASE_CODE_CALLBACK_STATUS_CONTINUE;
}

static bool set_callbacks(const struct tftp_progress *progress, bool wanted)
{
	EFI_PXE_BASE_CODE_PROTOCOL *pxe = progress->file->pxe;
	BOOLEAN make = wanted;

	return !EFI_ERROR(pxe->SetParameters(pxe, NULL, NULL, NULL, NULL, &make));
}

static void uninstall(struct tftp_progress *progress)
{
	EFI_GUID guid = EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL_GUID;

	firmware_boot_services->UninstallProtocolInterface(progress->handle, &guid, &progress->callback);
	progress->handle = NULL;
}

/* Fails if another program already listens. */
static bool listen_on(struct tftp_progress *progress, EFI_HANDLE handle)
{
	EFI_GUID guid = EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL_GUID;

	if (!handle || firmware_protocol_on(handle, &guid) ||
	    EFI_ERROR(firmware_boot_services->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE,
								       &progress->callback)))
		return false;
	progress->handle = handle;
	if (set_callbacks(progress, true))
		return true;
	uninstall(progress);
	return false;
}

/* The network device below the handle that our image came from. */
static EFI_HANDLE network_device(EFI_HANDLE device)
{
	EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	EFI_GUID guid = MTFTP4_SERVICE_BINDING_GUID;
	EFI_DEVICE_PATH *path = firmware_protocol_on(device, &path_guid);
	EFI_HANDLE handle;

	if (!path || EFI_ERROR(firmware_boot_services->LocateDevicePath(&guid, &path, &handle)))
		return NULL;
	return handle;
}

/* The callback belongs on the handle of the PXE protocol; older edk2 looks for it on the network device. */
void tftp_progress_start(struct tftp_progress *progress, const struct tftp_file *file)
{
	uint64_t now = clock_usec();

	*progress = (struct tftp_progress){
		.callback = { .Revision = EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL_REVISION, .Callback = take_packet },
		.file = file,
		.start_usec = now,
		.next_usec = now + PROGRESS_AFTER_USEC,
	};
	firmware_feed_watchdog();
	if (!listen_on(progress, file->device) && !listen_on(progress, network_device(file->device)))
		firmware_boot_services->SetWatchdogTimer(0, 0, 0, NULL);
}

void tftp_progress_end(struct tftp_progress *progress)
{
	if (progress->handle) {
		set_callbacks(progress, false);
		uninstall(progress);
	}
	firmware_feed_watchdog();
}
