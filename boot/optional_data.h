// SPDX-License-Identifier: BSD-2-Clause
/*
 * What firmware passes an image as its load options. The UEFI specification calls it OptionalData, "a binary data
 * buffer" (3.1.3): a person's text stands there, or nothing, or what the firmware has put there for itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/text.h"
#include "boot/text_kind.h"

/* Longer ones are ignored. */
#define OPTIONAL_DATA_SIZE_MAX 65536u

/* Room for their text: UTF-8 stays as long as it is, UTF-16 becomes half as long again at most. */
#define OPTIONAL_DATA_TEXT_SIZE(size) ((size) + (size) / 2)

/*
 * Finds the text in `size` bytes and writes it to `place` as one line of UTF-8: line ends are blanks, and those at
 * either end are cut off. Some firmware passes the whole EFI_LOAD_OPTION, whose OptionalData then counts, and some puts
 * a GUID of its own behind the text.
 *
 * Returns false where there is no text. *ret_found then says what there is: NULL where a warning has said so, because a
 * person may have meant something; "binary data" and so on where nobody has.
 */
bool optional_data_text(const void *bytes, size_t size, char *place, struct text *ret_text, const char **ret_found);

/*
 * Whether a text of load options is a mark that firmware puts into its boot entries, such as RC or BO: one word of up
 * to four characters, without small letters, dashes, and a profile's @N.
 */
bool optional_data_is_mark(struct text text);
