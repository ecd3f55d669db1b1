// SPDX-License-Identifier: BSD-2-Clause
/* Finds the encoding of bytes that may be text, in the same way for entry files and load options. */
#pragma once

#include <stddef.h>

#include "boot/text.h"

enum text_kind {
	TEXT_NOTHING,	       /* no bytes, NULs only, or a byte order mark with nothing behind it */
	TEXT_UTF8,	       /* also ASCII; it has no NULs, except at its end */
	TEXT_UTF16,	       /* little endian, as UEFI has it; up to a NUL or the end */
	TEXT_UTF16_BIG_ENDIAN, /* not supported */
	TEXT_BINARY,	       /* anything else, also bytes that begin in one encoding and continue in another */
};

/*
 * A byte order mark decides. Without one, bytes without NULs are UTF-8 or binary. Bytes with NULs are UTF-16 only if at
 * least two units are ASCII, and the first unit or half of all units are: text that we understand is mostly ASCII, and
 * a GUID or a number is not. Half a surrogate pair makes UTF-16 binary.
 */
enum text_kind text_kind(const void *bytes, size_t size);

/* Room for the UTF-8 that `size` bytes of UTF-16 become. */
#define TEXT_UTF8_SIZE(size) ((size) / 2 * 3)

/*
 * Writes TEXT_UTF16 to `buffer` as UTF-8, without its byte order mark. *ret_rest is the number of bytes from the first
 * NUL on: 0 for text that goes to the end, and 1 for text that ends with half a unit.
 */
struct text text_from_utf16(const void *bytes, size_t size, char *buffer, size_t *ret_rest);
