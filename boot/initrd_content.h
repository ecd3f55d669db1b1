// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finds initrds that Linux will not unpack, by their first bytes and a few headers (init/initramfs.c, lib/decompress.c,
 * lib/decompress_unlz4.c, lib/earlycpio.c). It does not warn of an initrd that may be good.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* State between initrds. A zeroed one has seen none. */
struct initrd_look {
	const char *name; /* of the last initrd; NULL: none */
	const uint8_t *bytes;
	uint64_t size;
	const char *compressed; /* the first initrd that is not a plain archive; NULL: none */
};

/*
 * Examines the next initrd, of `size` bytes, which must stay in place until the last one is examined. Warns of
 * - an initrd behind one in lz4, whose end Linux does not find, so that it loses everything behind it; and of other
 *   data behind lz4 in one file;
 * - microcode behind a compressed initrd, where Linux does not look for it early enough;
 * - a file that Linux cannot unpack, or only in part: a program, another kind of archive, an image of U-Boot's, a text,
 *   an archive that ends within a member.
 */
void initrd_look(struct initrd_look *look, const char *name, const uint8_t *bytes, uint64_t size);
