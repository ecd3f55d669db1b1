// SPDX-License-Identifier: BSD-2-Clause
/* Recognises habits by the form of the path. */
#include "boot/path_habit.h"

#include "boot/volume_path.h"

#define ONE_PATH "one path a line"
#define FROM_THE_ROOT "a path from the volume's root on"

/* The first two bytes in UTF-8 of U+2000 to U+203F: blanks, dashes, quotes, and characters without a width. */
#define GENERAL_PUNCTUATION "\xe2\x80"
#define IDEOGRAPHIC_SPACE "\xe3\x80\x80"

/* The shortest digest is MD5's. */
#define DIGEST_DIGITS_MIN 32u

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

static bool contains_any(struct text path, struct text characters)
{
	for (size_t i = 0; i < path.length; i++) {
		if (text_has(characters, path.start[i]))
			return true;
	}
	return false;
}

/* The first separator or $ that follows a blank: there another path begins, or a variable. NUL if there is none. */
static char next_word(struct text path)
{
	for (size_t i = 1; i < path.length; i++) {
		char c = path.start[i];

		if (is_blank(path.start[i - 1]) && (volume_path_is_separator(c) || c == '$'))
			return c;
	}
	return '\0';
}

/* The part of a path in front of its first separator. Empty if it has no separator. */
static struct text before_separator(struct text path)
{
	for (size_t i = 0; i < path.length; i++) {
		if (volume_path_is_separator(path.start[i]))
			return text_quote(path, i);
	}
	return text_quote(path, 0);
}

static bool ends_in(struct text text, char c)
{
	return text.length && text.start[text.length - 1] == c;
}

/* Whether the word looks like the first one of a command line, which GRUB has behind the kernel's path. */
static bool is_word_for_linux(struct text word)
{
	struct text words = TEXT("ro rw quiet splash");

	while (words.length) {
		if (text_equal(text_take_word(&words), word))
			return true;
	}
	return text_has(word, '=');
}

/* Explains the words behind the first one. NULL if there is only one word. */
static const char *words_behind(struct text path)
{
	struct text word;

	text_take_word(&path);
	word = text_take_word(&path);
	if (!word.length)
		return NULL;
	if (word.start[0] == '#')
		return ONE_PATH ", without a comment behind it";
	return is_word_for_linux(word) ? ONE_PATH "; words for Linux stand in a line options" : ONE_PATH;
}

/* Whether a # and a digest in hexadecimal follow the file, as in Limine. */
static bool has_digest(struct text path)
{
	size_t digits = 0;

	while (digits < path.length && text_hex_digit(path.start[path.length - 1 - digits]) >= 0)
		digits++;
	return digits >= DIGEST_DIGITS_MIN && digits < path.length && path.start[path.length - 1 - digits] == '#';
}

/* Matches (hd0,gpt2)/x and ($root)/x. Without anything behind them, parentheses belong to a name. */
static bool is_grub_device(struct text path)
{
	return text_begins_with(path, TEXT("(")) && ends_in(before_separator(path), ')');
}

/* Whether the path is a tag that stands for a file system in /etc/fstab or root=. */
static bool is_tag(struct text path)
{
	return text_begins_with(path, TEXT("PARTUUID=")) || text_begins_with(path, TEXT("PARTLABEL=")) ||
	       text_begins_with(path, TEXT("UUID=")) || text_begins_with(path, TEXT("LABEL="));
}

/*
 * Matches C:\x, fs0:\x, file:///x and boot():/x. Excludes URLs of a server, because the user may want that server's
 * file.
 */
static bool has_device(struct text path)
{
	struct text first = before_separator(path);

	if (text_equal(first, TEXT("http:")) || text_equal(first, TEXT("https:")) || text_equal(first, TEXT("tftp:")))
		return false;
	return first.length > 1 && ends_in(first, ':');
}

/* Matches FS0:x, (hd0,1)x, hd0,gpt1/x, HD(1,GPT,...)/x and PciRoot(0x0)/x. All of these may also be names of files. */
static bool names_device(struct text path)
{
	struct text first = before_separator(path);

	if (path.length && !first.length && !volume_path_is_separator(path.start[0]))
		first = path;
	if (text_has(first, ','))
		return text_has(first, '(') || text_begins_with(first, TEXT("hd"));
	if (text_contains(first, TEXT("(0x")))
		return true;
	return text_has(first, ':') && first.start[0] != ':' && !ends_in(first, ':');
}

const char *path_habit(struct text path)
{
	char next = next_word(path);

	if (path.length >= 2 && is_quote(path.start[0]) && path.start[path.length - 1] == path.start[0])
		return "a path without quotes";
	if (next == '$')
		return ONE_PATH "; $variables are GRUB's";
	if (next)
		return ONE_PATH;
	if (is_grub_device(path))
		return FROM_THE_ROOT "; (devices) are GRUB's";
	if (is_tag(path))
		return FROM_THE_ROOT "; a line volume names another volume";
	if (has_device(path))
		return FROM_THE_ROOT ", without a device in front";
	return NULL;
}

/* Where Linux mounts the volumes that loaders read from. */
static bool is_below_mount_point(struct text path)
{
	struct text points = TEXT("boot efi esp mnt media");
	struct text first = volume_path_first(path);

	while (points.length) {
		if (text_equal(text_take_word(&points), first))
			return true;
	}
	return false;
}

const char *path_habit_missing(struct text path)
{
	const char *habit = path_habit(path);

	if (habit)
		return habit;
	if (text_has(path, '$'))
		return "$variables are GRUB's";
	habit = words_behind(path);
	if (habit)
		return habit;
	if (text_contains(path, TEXT(",/")) || text_contains(path, TEXT(",\\")))
		return ONE_PATH;
	if (has_digest(path))
		return "a digest stands in a line fsverity or sha256";
	if (text_contains(path, TEXT("\xc2\xa0")))
		return "there is a no-break space in it";
	if (text_contains(path, TEXT(GENERAL_PUNCTUATION)) || text_contains(path, TEXT(UTF8_BYTE_ORDER_MARK)) ||
	    text_contains(path, TEXT(IDEOGRAPHIC_SPACE)))
		return "there is a blank, quote or dash in it that is not ASCII";
	if (text_has(path, '"'))
		return "a path has no quotes";
	if (text_begins_with(path, TEXT("~")) || contains_any(path, TEXT("*?")))
		return "~, * and ? are a shell's";
	if (text_begins_with(path, TEXT("http:")) || text_begins_with(path, TEXT("https:")) ||
	    text_begins_with(path, TEXT("tftp:")))
		return "a server's files are for an image that came from that server";
	if (text_has(path, '%'))
		return "% codes are a URL's";
	if (names_device(path))
		return "paths begin at the volume's root, without a device in front";
	return is_below_mount_point(path) ? "paths begin at the volume's root, without /boot" : NULL;
}
