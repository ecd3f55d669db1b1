; SPDX-License-Identifier: BSD-2-Clause
;
; The printable part of ASCII in 8 x 16 pixels, from Debian's package fonts-spleen (BSD-2-Clause, Frederic Cambus).
; The file is a PSF 1 font, whose glyphs begin with that of character 0.

PSF_HEADER_SIZE equ 4
GLYPH_SIZE equ 16
GLYPH_FIRST equ ' '
GLYPH_COUNT equ '~' - GLYPH_FIRST + 1

section .rodata

global font_glyphs:data
font_glyphs:
	incbin	"build/purgatory/font.psf", PSF_HEADER_SIZE + GLYPH_FIRST * GLYPH_SIZE, GLYPH_COUNT * GLYPH_SIZE

%if $ - font_glyphs != GLYPH_COUNT * GLYPH_SIZE
%error "the font is cut short"
%endif

section .note.GNU-stack noalloc noexec nowrite progbits
