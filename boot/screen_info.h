// SPDX-License-Identifier: BSD-2-Clause
/*
 * Converts the firmware's description of its screen mode (UEFI specification 12.9, EFI_GRAPHICS_OUTPUT_PROTOCOL) to
 * Linux's, by the rules of the kernel's EFI stub (drivers/firmware/efi/libstub/gop.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/layout.h"

/* include/uapi/linux/screen_info.h */
struct __attribute__((packed)) screen_info {
	uint8_t pad0[0x0f];
	uint8_t orig_video_isvga; /* VIDEO_TYPE_EFI, or 0: no screen */
	uint8_t pad1[0x12 - 0x10];
	uint16_t lfb_width;
	uint16_t lfb_height;
	uint16_t lfb_depth;
	uint32_t lfb_base;
	uint32_t lfb_size;
	uint8_t pad2[0x24 - 0x20];
	uint16_t lfb_linelength;
	uint8_t red_size;
	uint8_t red_pos;
	uint8_t green_size;
	uint8_t green_pos;
	uint8_t blue_size;
	uint8_t blue_pos;
	uint8_t rsvd_size;
	uint8_t rsvd_pos;
	uint8_t pad3[0x32 - 0x2e];
	uint16_t pages;
	uint16_t vesa_attributes;
	uint32_t capabilities;
	uint32_t ext_lfb_base;
	uint8_t pad4[0x40 - 0x3e];
};

enum {
	VIDEO_TYPE_EFI = 0x70,
	VIDEO_CAPABILITY_SKIP_QUIRKS = 1 << 0,
	VIDEO_CAPABILITY_64BIT_BASE = 1 << 1,
};

ASSERT_OFFSET(screen_info, orig_video_isvga, 0x0f);
ASSERT_OFFSET(screen_info, lfb_width, 0x12);
ASSERT_OFFSET(screen_info, lfb_depth, 0x16);
ASSERT_OFFSET(screen_info, lfb_base, 0x18);
ASSERT_OFFSET(screen_info, lfb_linelength, 0x24);
ASSERT_OFFSET(screen_info, red_size, 0x26);
ASSERT_OFFSET(screen_info, rsvd_pos, 0x2d);
ASSERT_OFFSET(screen_info, pages, 0x32);
ASSERT_OFFSET(screen_info, capabilities, 0x36);
ASSERT_OFFSET(screen_info, ext_lfb_base, 0x3a);
_Static_assert(sizeof(struct screen_info) == 0x40, "include/uapi/linux/screen_info.h");

/* EFI_GRAPHICS_PIXEL_FORMAT */
enum screen_format {
	SCREEN_RED_GREEN_BLUE = 0,
	SCREEN_BLUE_GREEN_RED = 1,
	SCREEN_BIT_MASK = 2,
	SCREEN_BLT_ONLY = 3, /* no framebuffer for the CPU */
};

/* The bits of a pixel for each colour. The specification requires the bits of a mask to be contiguous. */
struct screen_masks {
	uint32_t red;
	uint32_t green;
	uint32_t blue;
	uint32_t reserved;
};

struct screen_mode {
	uint32_t format; /* enum screen_format, as the firmware states it */
	uint32_t width;	 /* pixels */
	uint32_t height; /* lines */
	uint32_t pixels_per_scan_line;
	struct screen_masks masks; /* for SCREEN_BIT_MASK */
	uint64_t framebuffer_addr;
};

/*
 * Describes the screen in `mode`. Returns false, and writes nothing, if Linux could not use the screen, or screen_info
 * cannot describe it: no framebuffer, no pixels, or sizes that do not fit into screen_info.
 */
bool screen_describe(const struct screen_mode *mode, struct screen_info *ret_screen);

/* The first block of a monitor's EDID. boot_params has no room for more. */
#define EDID_SIZE 128
