// SPDX-License-Identifier: BSD-2-Clause
/* Writes into a linear framebuffer, from its first line down. */
#include "purgatory/framebuffer.h"

#include "common/align.h"
#include "common/purgatory_abi.h"
#include "common/string.h"

enum {
	GLYPH_WIDTH = 8,
	GLYPH_HEIGHT = 16,
	GLYPH_FIRST = ' ',
	GLYPH_COUNT = '~' - GLYPH_FIRST + 1,

	/*
	 * Scale letters up as long as this many still fit in a line: on a dense screen one pixel is too small to read.
	 */
	COLUMNS_WANTED = 80,

	/* All bits of a pixel clear, and all set: these colours are the same in every format. */
	BLACK = 0x00,
	WHITE = 0xff,
};

/* In font.asm: a row is a byte, whose highest bit is the leftmost pixel. */
__attribute__((visibility("hidden"))) extern const uint8_t font_glyphs[GLYPH_COUNT][GLYPH_HEIGHT];

PURGATORY_DATA struct purgatory_screen purgatory_screen;

/* Position of the next character, in characters. */
static uint32_t column;
static uint32_t row;

static uint32_t scale(void)
{
	uint32_t fitting = purgatory_screen.width / (GLYPH_WIDTH * COLUMNS_WANTED);

	return fitting ? fitting : 1;
}

/* In pixels. The caller stays within the screen. */
static void fill(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint8_t colour)
{
	const struct purgatory_screen *screen = &purgatory_screen;
	uint8_t *line = phys_to_ptr(screen->addr + (uint64_t)y * screen->line_size + (uint64_t)x * screen->pixel_size);

	for (; height; height--, line += screen->line_size)
		memset(line, colour, (size_t)width * screen->pixel_size);
}

static void draw(char c)
{
	const uint8_t *glyph = font_glyphs[(uint8_t)(c - GLYPH_FIRST) < GLYPH_COUNT ? c - GLYPH_FIRST : 0];
	uint32_t size = scale();

	for (uint32_t y = 0; y < GLYPH_HEIGHT; y++) {
		for (uint32_t x = 0; x < GLYPH_WIDTH; x++) {
			if (glyph[y] & 0x80u >> x)
				fill((column * GLYPH_WIDTH + x) * size, (row * GLYPH_HEIGHT + y) * size, size, size,
				     WHITE);
		}
	}
}

void screen_write(const char *text)
{
	uint32_t columns = purgatory_screen.width / (GLYPH_WIDTH * scale());
	uint32_t line_height = GLYPH_HEIGHT * scale();

	/* All of these are 0 without a screen. */
	for (; *text && columns && (uint64_t)(row + 1) * line_height <= purgatory_screen.height; text++) {
		if (column == 0)
			fill(0, row * line_height, purgatory_screen.width, line_height, BLACK);
		if (*text != '\n') {
			draw(*text);
			column++;
		}
		if (*text == '\n' || column == columns) {
			column = 0;
			row++;
		}
	}
}
