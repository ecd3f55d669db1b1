// SPDX-License-Identifier: BSD-2-Clause
/* Describes the firmware's screen. */
#include "boot/screen_info.h"

/* From the lowest to the highest bit of a mask. */
static void set_channel(uint32_t mask, uint8_t *ret_size, uint8_t *ret_position)
{
	*ret_position = mask ? (uint8_t)__builtin_ctz(mask) : 0;
	*ret_size = mask ? (uint8_t)(32 - __builtin_clz(mask) - *ret_position) : 0;
}

/* All zero if the framebuffer has no pixels that the CPU can write. */
static struct screen_masks pixel_masks(const struct screen_mode *mode)
{
	switch (mode->format) {
	case SCREEN_RED_GREEN_BLUE:
		return (struct screen_masks){ 0x000000ff, 0x0000ff00, 0x00ff0000, 0xff000000 };
	case SCREEN_BLUE_GREEN_RED:
		return (struct screen_masks){ 0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000 };
	case SCREEN_BIT_MASK:
		return mode->masks;
	default:
		return (struct screen_masks){ 0 };
	}
}

/* A pixel takes whole bytes, even if some bits are unused. */
static uint32_t bytes_per_pixel(const struct screen_masks *masks)
{
	uint32_t all = masks->red | masks->green | masks->blue | masks->reserved;

	return all ? (uint32_t)(32 - __builtin_clz(all) + 7) / 8 : 0;
}

/* Whether the resolution is possible: a line holds its pixels, and fits into screen_info's 16 bits. */
static bool size_fits(const struct screen_mode *mode, uint32_t pixel_size)
{
	return mode->width && mode->height && mode->width <= mode->pixels_per_scan_line &&
	       mode->pixels_per_scan_line <= UINT16_MAX / pixel_size && mode->height <= UINT16_MAX;
}

bool screen_describe(const struct screen_mode *mode, struct screen_info *ret_screen)
{
	struct screen_masks masks = pixel_masks(mode);
	uint32_t pixel_size = bytes_per_pixel(&masks);
	struct screen_info screen = { 0 };

	if (!mode->framebuffer_addr || !pixel_size || !size_fits(mode, pixel_size))
		return false;
	set_channel(masks.red, &screen.red_size, &screen.red_pos);
	set_channel(masks.green, &screen.green_size, &screen.green_pos);
	set_channel(masks.blue, &screen.blue_size, &screen.blue_pos);
	set_channel(masks.reserved, &screen.rsvd_size, &screen.rsvd_pos);

	screen.orig_video_isvga = VIDEO_TYPE_EFI;
	screen.lfb_width = (uint16_t)mode->width;
	screen.lfb_height = (uint16_t)mode->height;
	screen.lfb_depth = (uint16_t)(8 * pixel_size);
	screen.lfb_linelength = (uint16_t)(mode->pixels_per_scan_line * pixel_size);
	screen.lfb_size = (uint32_t)screen.lfb_linelength * screen.lfb_height;
	screen.lfb_base = (uint32_t)mode->framebuffer_addr;
	screen.ext_lfb_base = (uint32_t)(mode->framebuffer_addr >> 32);
	screen.pages = 1;
	screen.capabilities = VIDEO_CAPABILITY_SKIP_QUIRKS;
	if (screen.ext_lfb_base)
		screen.capabilities |= VIDEO_CAPABILITY_64BIT_BASE;
	*ret_screen = screen;
	return true;
}
