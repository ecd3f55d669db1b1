// SPDX-License-Identifier: BSD-2-Clause
/* ACPI and screen, by the rules of the kernel's EFI stub (drivers/firmware/efi/libstub/: x86-stub.c, gop.c). */
#include "efi/platform.h"

#include "common/align.h"
#include "efi/firmware.h"
#include "efi/secureboot.h"

static uint64_t find_acpi_rsdp(void)
{
	EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;
	EFI_GUID acpi_10 = ACPI_TABLE_GUID;
	void *table = firmware_config_table(&acpi_20);

	if (!table)
		table = firmware_config_table(&acpi_10);
	return (uintptr_t)table;
}

/* What a mask says of a colour: how many bits, from which on. */
static void set_channel(uint32_t mask, uint8_t *ret_size, uint8_t *ret_position)
{
	*ret_position = mask ? (uint8_t)__builtin_ctz(mask) : 0;
	*ret_size = mask ? (uint8_t)(32 - __builtin_clz(mask) - *ret_position) : 0;
}

static EFI_PIXEL_BITMASK pixel_masks(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info)
{
	switch (info->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		return (EFI_PIXEL_BITMASK){ 0x000000ff, 0x0000ff00, 0x00ff0000, 0xff000000 };
	case PixelBlueGreenRedReserved8BitPerColor:
		return (EFI_PIXEL_BITMASK){ 0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000 };
	default:
		return info->PixelInformation;
	}
}

static void describe_screen(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode, struct screen_info *screen)
{
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = mode->Info;
	EFI_PIXEL_BITMASK masks = pixel_masks(info);
	uint32_t all = masks.RedMask | masks.GreenMask | masks.BlueMask | masks.ReservedMask;

	uint32_t bytes_per_pixel;

	if (!all)
		return;
	set_channel(masks.RedMask, &screen->red_size, &screen->red_pos);
	set_channel(masks.GreenMask, &screen->green_size, &screen->green_pos);
	set_channel(masks.BlueMask, &screen->blue_size, &screen->blue_pos);
	set_channel(masks.ReservedMask, &screen->rsvd_size, &screen->rsvd_pos);
	/* Pixels take whole bytes, whatever bits of them are used. */
	bytes_per_pixel = (uint32_t)(32 - __builtin_clz(all) + 7) / 8;
	screen->lfb_depth = (uint16_t)(8 * bytes_per_pixel);

	screen->orig_video_isvga = VIDEO_TYPE_EFI;
	screen->lfb_width = (uint16_t)info->HorizontalResolution;
	screen->lfb_height = (uint16_t)info->VerticalResolution;
	screen->lfb_linelength = (uint16_t)(info->PixelsPerScanLine * bytes_per_pixel);
	screen->lfb_size = (uint32_t)screen->lfb_linelength * screen->lfb_height;
	screen->lfb_base = (uint32_t)mode->FrameBufferBase;
	screen->ext_lfb_base = (uint32_t)(mode->FrameBufferBase >> 32);
	screen->pages = 1;
	screen->capabilities = VIDEO_CAPABILITY_SKIP_QUIRKS;
	if (screen->ext_lfb_base)
		screen->capabilities |= VIDEO_CAPABILITY_64BIT_BASE;
}

static bool has_framebuffer(const EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	return gop->Mode && gop->Mode->Info && gop->Mode->Info->PixelFormat < PixelBltOnly &&
	       gop->Mode->FrameBufferBase;
}

/*
 * The console splitter shows several screens as one, which need not be real. A real one that the console is on carries
 * the mark of a console device; without such a one, the first that has a framebuffer will do.
 */
static EFI_GRAPHICS_OUTPUT_PROTOCOL *find_screen(void)
{
	EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GUID console_guid = { 0xd3b36f2c, 0xd551, 0x11d4, { 0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } };
	EFI_BOOT_SERVICES *services = firmware_boot_services;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *found = NULL;
	EFI_HANDLE *handles;
	UINTN count;

	if (EFI_ERROR(services->LocateHandleBuffer(ByProtocol, &gop_guid, NULL, &count, &handles)))
		return NULL;
	for (UINTN i = 0; i < count; i++) {
		EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
		void *console;

		if (EFI_ERROR(services->HandleProtocol(handles[i], &gop_guid, (void **)&gop)) || !has_framebuffer(gop))
			continue;
		if (!found)
			found = gop;
		if (!EFI_ERROR(services->HandleProtocol(handles[i], &console_guid, &console))) {
			found = gop;
			break;
		}
	}
	services->FreePool(handles);
	return found;
}

void platform_collect(struct platform *ret_platform, struct mapped_range *ret_framebuffer)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = find_screen();

	*ret_platform = (struct platform){
		.acpi_rsdp_addr = find_acpi_rsdp(),
		.efi_system_table_addr = (uintptr_t)firmware_system_table,
		.secure_boot = secure_boot_mode(),
	};
	*ret_framebuffer = (struct mapped_range){ 0 };
	if (gop) {
		describe_screen(gop->Mode, &ret_platform->screen);
		ret_framebuffer->addr = gop->Mode->FrameBufferBase;
		ret_framebuffer->size = gop->Mode->FrameBufferSize;
	}
}
