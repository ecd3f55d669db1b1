// SPDX-License-Identifier: BSD-2-Clause
/* Looks at the devices behind the firmware's text output (UEFI specification 12.4). */
#include "efi/load/find_console.h"

#include "boot/device_path.h"
#include "boot/log.h"
#include "efi/services/firmware.h"
#include "efi/services/pci.h"

/* edk2's mark on the devices that the variable ConOut lists (MdeModulePkg/Include/Guid/ConsoleOutDevice.h). */
#define CONSOLE_OUT_DEVICE_GUID                                                                                        \
	{                                                                                                              \
		0xd3b36f2c, 0xd551, 0x11d4,                                                                            \
		{                                                                                                      \
			0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d                                                 \
		}                                                                                                      \
	}

/* Longest text of a device path in a message. */
#define PATH_TEXT_SIZE 120

static void *device_path_on(EFI_HANDLE handle)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;

	return firmware_protocol_on(handle, &guid);
}

/* Finds the PCI device in a path. *path becomes the rest behind it. */
static bool find_parent(EFI_DEVICE_PATH **path, struct console_parent *ret_parent)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
	EFI_PCI_IO_PROTOCOL *io;
	EFI_HANDLE device;

	if (EFI_ERROR(firmware_boot_services->LocateDevicePath(&guid, path, &device)))
		return false;
	io = pci_io(device);
	if (!io)
		return false;
	*ret_parent = (struct console_parent){
		.vendor = pci_read(io, PCI_VENDOR),
		.device = pci_read(io, PCI_DEVICE),
		.class = pci_read(io, PCI_CLASS),
	};
	return true;
}

/* Adds the device if it is a serial port. Screens are found elsewhere. */
static void look_at(EFI_HANDLE handle, struct serial_consoles *consoles)
{
	EFI_GUID screen_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_DEVICE_PATH *path = device_path_on(handle);
	EFI_DEVICE_PATH *rest = path;
	struct console_parent parent;
	char text[PATH_TEXT_SIZE];

	if (!path || firmware_protocol_on(handle, &screen_guid) || !find_parent(&rest, &parent) ||
	    serial_consoles_add(consoles, &parent, rest, device_path_size(rest)))
		return;
	device_path_text(path, device_path_size(path), text, sizeof(text));
	log_verbose("console: Linux's name for %s is unknown", text);
}

/*
 * ConOut is one device, or a joined device without a path for all of them. Firmware other than edk2 does not mark
 * devices; then all devices that can write text count.
 */
static void look_at_all(struct serial_consoles *consoles)
{
	EFI_GUID guids[] = { CONSOLE_OUT_DEVICE_GUID, SIMPLE_TEXT_OUTPUT_PROTOCOL };
	EFI_HANDLE *handles;
	UINTN count = 0;

	if (device_path_on(firmware_system_table->ConsoleOutHandle)) {
		look_at(firmware_system_table->ConsoleOutHandle, consoles);
		return;
	}
	if (EFI_ERROR(firmware_boot_services->LocateHandleBuffer(ByProtocol, &guids[0], NULL, &count, &handles)) &&
	    EFI_ERROR(firmware_boot_services->LocateHandleBuffer(ByProtocol, &guids[1], NULL, &count, &handles)))
		return;
	for (UINTN i = 0; i < count; i++)
		look_at(handles[i], consoles);
	firmware_boot_services->FreePool(handles);
}

struct text find_console_words(struct text command_line, char ret_words[SERIAL_CONSOLE_SIZE])
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	struct serial_consoles consoles = { .has_screen = firmware_protocol(&guid) != NULL };
	struct text words;

	look_at_all(&consoles);
	words = serial_console_words(&consoles, command_line, ret_words);
	if (words.length)
		log_verbose("console: the command line names none: added \"%.*s\"", TEXT_ARGS(words));
	return words;
}
