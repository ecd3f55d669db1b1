// SPDX-License-Identifier: BSD-2-Clause
/* Tells text that a person wrote from data that firmware puts into boot entries for itself. */
#include "boot/optional_data.h"

#include "boot/log.h"
#include "common/string.h"

/* EFI_LOAD_OPTION (UEFI specification 3.1.3): Attributes, FilePathListLength, a description in UTF-16, the paths. */
enum {
	LOAD_OPTION_HEADER_SIZE = 6,
	LOAD_OPTION_ATTRIBUTES_MAX = 0x1fff, /* all that are defined */
	NODE_HEADER_SIZE = 4,
	NODE_TYPE_END = 0x7f,
	NODE_SUBTYPE_END_ENTIRE = 0xff,
};

/* The longest known mark has two characters: rhboot/efibootmgr issues 43 and 179. */
#define MARK_LENGTH_MAX 4

/* Whether the bytes are a list of device paths, the last of which ends at `size`. */
static bool is_path_list(const uint8_t *bytes, size_t size)
{
	bool ended = false;

	while (size >= NODE_HEADER_SIZE) {
		size_t length = bytes[2] | (size_t)bytes[3] << 8;

		if (length < NODE_HEADER_SIZE || length > size)
			return false;
		ended = bytes[0] == NODE_TYPE_END && bytes[1] == NODE_SUBTYPE_END_ENTIRE;
		bytes += length;
		size -= length;
	}
	return ended && size == 0;
}

/* The offset of an EFI_LOAD_OPTION's paths, behind the NUL of its description. 0 if there is no NUL. */
static size_t end_of_description(const uint8_t *bytes, size_t size)
{
	for (size_t at = LOAD_OPTION_HEADER_SIZE; at < size && size - at >= 2; at += 2) {
		if (bytes[at] == 0 && bytes[at + 1] == 0)
			return at + 2;
	}
	return 0;
}

/* Reduces a whole EFI_LOAD_OPTION to its OptionalData. Returns false if it is something else. */
static bool skip_load_option(const uint8_t **bytes, size_t *size)
{
	uint32_t attributes;
	uint16_t paths_size;
	size_t paths;

	if (*size < LOAD_OPTION_HEADER_SIZE)
		return false;
	memcpy(&attributes, *bytes, sizeof(attributes));
	memcpy(&paths_size, *bytes + sizeof(attributes), sizeof(paths_size));
	paths = end_of_description(*bytes, *size);
	if (attributes > LOAD_OPTION_ATTRIBUTES_MAX || !paths || paths_size > *size - paths ||
	    !is_path_list(*bytes + paths, paths_size))
		return false;
	*bytes += paths + paths_size;
	*size -= paths + paths_size;
	return true;
}

/*
 * The size without the GUID that edk2 appends to the entries that it makes: mBmAutoCreateBootOptionGuid,
 * 8108ac4e-9f11-4d59-850e-e21a522c59b2.
 */
static size_t without_guid(const uint8_t *bytes, size_t size)
{
	static const uint8_t guid[] = { 0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
					0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2 };

	if (size < sizeof(guid) || memcmp(bytes + size - sizeof(guid), guid, sizeof(guid)) != 0)
		return size;
	return size - sizeof(guid);
}

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

/* Replaces line ends by blanks. Returns false if there are other control characters, which nobody writes. */
static bool make_one_line(char *start, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (is_line_end(start[i]))
			start[i] = ' ';
		if (((uint8_t)start[i] < ' ' && start[i] != '\t') || start[i] == 0x7f)
			return false;
	}
	return true;
}

static void warn(const char *expected, const char *found)
{
	log_warning("load options ignored: expected %s, found %s", expected, found);
}

static struct text without_mark_and_nuls(struct text text)
{
	text_skip_prefix(&text, TEXT("\xef\xbb\xbf"));
	while (text.length && text.start[text.length - 1] == '\0')
		text.length--;
	return text;
}

/* Whether the bytes contain `word`, in UTF-8 or UTF-16: NULs are skipped. */
static bool holds(struct text bytes, struct text word)
{
	size_t matched = 0;

	/* No word has its first character twice, so a failed match can only restart at the character that failed. */
	for (size_t i = 0; i < bytes.length && matched < word.length; i++) {
		char c = bytes.start[i];

		if (c == '\0')
			continue;
		matched = c == word.start[matched] ? matched + 1 : c == word.start[0];
	}
	return matched == word.length;
}

/*
 * Whether somebody may have meant these bytes as load options. initrd= has its first character twice, so the search is
 * for the rest of it.
 */
static bool resembles_options(struct text bytes)
{
	return holds(bytes, TEXT("linux=")) || holds(bytes, TEXT("entry=")) || holds(bytes, TEXT("verbose")) ||
	       holds(bytes, TEXT("nitrd=")) || holds(bytes, TEXT("volume="));
}

/*
 * Converts text of a supported kind. Warns and returns false if the text ends within a character, or if words of ours
 * follow its first NUL.
 */
static bool convert(enum text_kind kind, struct text bytes, char *place, struct text *ret_text)
{
	size_t rest = 0;

	if (kind == TEXT_UTF16) {
		*ret_text = text_from_utf16(bytes.start, bytes.length, place, &rest);
	} else {
		bytes = without_mark_and_nuls(bytes);
		memcpy(place, bytes.start, bytes.length);
		*ret_text = (struct text){ .start = place, .length = bytes.length };
	}
	if (rest == 1) {
		warn("an even number of bytes of UTF-16", "an odd one");
		return false;
	}
	text_drop(&bytes, bytes.length - rest);
	if (!resembles_options(bytes))
		return true;
	warn("one text up to the first NUL", "words of this loader behind that");
	return false;
}

/* Describes bytes that are not text. Returns NULL, after a warning, if somebody may have meant them as load options. */
static const char *call_no_text(struct text bytes)
{
	if (!resembles_options(bytes))
		return "binary data";
	warn("UTF-8 or UTF-16, as efibootmgr --unicode writes it", "words of this loader in neither");
	return NULL;
}

static bool read_text(struct text bytes, char *place, struct text *ret_text, const char **ret_found)
{
	enum text_kind kind = text_kind(bytes.start, bytes.length);
	struct text text;

	if (kind == TEXT_NOTHING) {
		*ret_found = "an empty string";
		return false;
	}
	if (kind == TEXT_UTF16_BIG_ENDIAN) {
		warn("UTF-8 or UTF-16 little endian", "UTF-16 big endian");
		return false;
	}
	if (kind == TEXT_BINARY) {
		*ret_found = call_no_text(bytes);
		return false;
	}
	if (!convert(kind, bytes, place, &text))
		return false;
	if (!make_one_line(place, text.length)) {
		*ret_found = call_no_text(bytes);
		return false;
	}
	*ret_text = text_trim(text);
	*ret_found = ret_text->length ? NULL : "an empty string";
	return ret_text->length != 0;
}

bool optional_data_text(const void *bytes, size_t size, char *place, struct text *ret_text, const char **ret_found)
{
	const uint8_t *start = bytes;

	*ret_found = NULL;
	if (size > OPTIONAL_DATA_SIZE_MAX) {
		log_warning("load options ignored: expected at most %u bytes, found %zu", OPTIONAL_DATA_SIZE_MAX, size);
		return false;
	}
	if (skip_load_option(&start, &size) && !size) {
		*ret_found = "an EFI_LOAD_OPTION without optional data";
		return false;
	}
	size = without_guid(start, size);
	return read_text((struct text){ .start = (const char *)start, .length = size }, place, ret_text, ret_found);
}

bool optional_data_is_mark(struct text text)
{
	if (text.length > MARK_LENGTH_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.start[i];

		if (c == ' ' || c == '\t' || c == '-' || (c == '@' && text.length > 1) || (c >= 'a' && c <= 'z'))
			return false;
	}
	return true;
}
