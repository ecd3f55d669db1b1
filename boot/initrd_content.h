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
 * Looks at the next initrd, `size` bytes that stay where they are until the last one was looked at. Warns
 * - of one behind an initrd in lz4, whose end Linux does not find, so that it loses all that follows, and of other data
 *   behind lz4 in one file;
 * - of microcode behind a compressed initrd, where Linux does not look for it early enough;
 * - of a file that Linux cannot unpack, or only in part: a program, another kind of archive, an image of U-Boot's, a
 *   text, an archive in which a member is cut off.
 */
void initrd_look(struct initrd_look *look, const char *name, const uint8_t *bytes, uint64_t size);
