// SPDX-License-Identifier: BSD-2-Clause
/*
 * The load options that firmware passes to an image. The UEFI specification calls them OptionalData, "a binary data
 * buffer" (3.1.3). They hold a person's text, or nothing, or data that the firmware has put there for itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/text.h"
#include "boot/text_kind.h"

/* Longer ones are ignored. */
#define OPTIONAL_DATA_SIZE_MAX 65536u

/* Room for their text. UTF-8 keeps its size, UTF-16 grows by half at most. */
#define OPTIONAL_DATA_TEXT_SIZE(size) ((size) + (size) / 2)

/*
 * Finds the text in `size` bytes and writes it to `place` as one line of UTF-8. Line ends become blanks, and blanks at
 * both ends are removed. If firmware passes a whole EFI_LOAD_OPTION, only its OptionalData counts. A GUID that the
 * firmware has appended to the text is removed.
 *
 * Returns false if there is no text. *ret_found then describes the content, as "binary data" for example. It is NULL if
 * a warning has been logged, because a person may have meant the content as load options.
 */
bool optional_data_text(const void *bytes, size_t size, char *place, struct text *ret_text, const char **ret_found);

/*
 * Whether a text of load options is a mark that firmware puts into its boot entries, such as RC or BO: one word of up
 * to four characters, without small letters and dashes, and not a profile's @N.
 */
bool optional_data_is_mark(struct text text);
