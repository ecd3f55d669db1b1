// SPDX-License-Identifier: BSD-2-Clause
/* Finds the screen (UEFI specification 12.9 and 12.10), as the kernel's EFI stub does (libstub/gop.c). */
#include "efi/linux/graphics.h"

#include "common/string.h"
#include "efi/services/firmware.h"

static bool describe(const EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct screen_info *ret_screen)
{
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
	struct screen_mode mode;

	if (!gop->Mode || !gop->Mode->Info)
		return false;
	info = gop->Mode->Info;
	mode = (struct screen_mode){
		.format = info->PixelFormat,
		.width = info->HorizontalResolution,
		.height = info->VerticalResolution,
		.pixels_per_scan_line = info->PixelsPerScanLine,
		.masks = { info->PixelInformation.RedMask, info->PixelInformation.GreenMask,
			   info->PixelInformation.BlueMask, info->PixelInformation.ReservedMask },
		.framebuffer_addr = gop->Mode->FrameBufferBase,
	};
	return screen_describe(&mode, ret_screen);
}

/*
 * The console splitter presents several screens as one, which may be virtual. A real screen of the console carries the
 * mark of a console device. If no screen has it, take the first that can be described.
 */
static EFI_HANDLE find_screen(const EFI_HANDLE *handles, UINTN count, struct screen_info *ret_screen)
{
	EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GUID console_guid = { 0xd3b36f2c, 0xd551, 0x11d4, { 0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } };
	EFI_HANDLE found = NULL;

	for (UINTN i = 0; i < count; i++) {
		EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = firmware_protocol_on(handles[i], &gop_guid);
		struct screen_info screen;
		EFI_STATUS is_console;
		void *mark;

		if (!gop || !describe(gop, &screen))
			continue;
		/* The mark is an interface that may be NULL. */
		is_console = firmware_boot_services->HandleProtocol(handles[i], &console_guid, &mark);
		if (found && EFI_ERROR(is_console))
			continue;
		found = handles[i];
		*ret_screen = screen;
		if (!EFI_ERROR(is_console))
			break;
	}
	return found;
}

/* Reads the active EDID, which a user may have overridden, or falls back to the monitor's. */
static void read_edid(EFI_HANDLE screen, uint8_t ret_edid[EDID_SIZE])
{
	EFI_GUID active_guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;
	EFI_GUID discovered_guid = EFI_EDID_DISCOVERED_PROTOCOL_GUID;
	EFI_EDID_DISCOVERED_PROTOCOL *discovered = firmware_protocol_on(screen, &discovered_guid);
	EFI_EDID_ACTIVE_PROTOCOL *active = firmware_protocol_on(screen, &active_guid);

	if (active && active->Edid && active->SizeOfEdid >= EDID_SIZE)
		memcpy(ret_edid, active->Edid, EDID_SIZE);
	else if (discovered && discovered->Edid && discovered->SizeOfEdid >= EDID_SIZE)
		memcpy(ret_edid, discovered->Edid, EDID_SIZE);
}

void graphics_collect(struct platform *platform, struct mapped_range *ret_framebuffer)
{
	EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	EFI_HANDLE *handles;
	EFI_HANDLE screen;
	UINTN count;

	*ret_framebuffer = (struct mapped_range){ 0 };
	if (EFI_ERROR(firmware_boot_services->LocateHandleBuffer(ByProtocol, &gop_guid, NULL, &count, &handles)))
		return;
	screen = find_screen(handles, count, &platform->screen);
	firmware_boot_services->FreePool(handles);
	gop = screen ? firmware_protocol_on(screen, &gop_guid) : NULL;
	if (!gop)
		return;
	read_edid(screen, platform->edid);
	ret_framebuffer->addr = gop->Mode->FrameBufferBase;
	/* The size of the visible lines: anything beyond them would waste page tables. */
	ret_framebuffer->size = platform->screen.lfb_size;
	if (ret_framebuffer->size > gop->Mode->FrameBufferSize)
		ret_framebuffer->size = gop->Mode->FrameBufferSize;
}
