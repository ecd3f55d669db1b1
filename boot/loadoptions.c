// SPDX-License-Identifier: BSD-2-Clause
/* Tells load options from junk and turns them into lines of an entry. */
#include "boot/loadoptions.h"

#include "boot/log.h"
#include "common/string.h"

/* EFI_LOAD_OPTION (UEFI specification 3.1.3): Attributes, FilePathListLength, a description in UTF-16, the paths. */
enum {
	LOAD_OPTION_HEADER_SIZE = 6,
	LOAD_OPTION_ATTRIBUTES_MAX = 0x1fff, /* all that are defined */
	DEVICE_PATH_HEADER_SIZE = 4,
};

/* How much of a wrong word a message quotes. */
#define QUOTE_MAX 60

static bool is_load_option(const uint8_t *bytes, size_t size)
{
	uint32_t attributes;
	size_t description;
	uint16_t paths_size;

	if (size < LOAD_OPTION_HEADER_SIZE + 2 + DEVICE_PATH_HEADER_SIZE)
		return false;
	memcpy(&attributes, bytes, sizeof(attributes));
	memcpy(&paths_size, bytes + 4, sizeof(paths_size));
	if (attributes > LOAD_OPTION_ATTRIBUTES_MAX || paths_size < DEVICE_PATH_HEADER_SIZE)
		return false;
	for (description = LOAD_OPTION_HEADER_SIZE; size - description >= 2; description += 2) {
		if (bytes[description] == 0 && bytes[description + 1] == 0)
			return paths_size <= size - description - 2;
	}
	return false;
}

static void ignore(const char *what)
{
	log_warning("load options ignored: expected text, found %s", what);
}

/* Converts to UTF-8, up to a NUL or the end: efibootmgr leaves the NUL out. */
static bool convert(const uint8_t *bytes, size_t size, struct text_buffer *buffer)
{
	struct utf16_reader reader = { .bytes = bytes, .size = size };
	char utf8[4];
	size_t count;

	while ((count = utf16_take_utf8(&reader, utf8)) != 0) {
		bool is_control = count == 1 && ((uint8_t)utf8[0] < ' ' || utf8[0] == 0x7f) && utf8[0] != '\t';
		bool is_replacement = count == 3 && memcmp(utf8, "\xef\xbf\xbd", 3) == 0;

		if (is_control || is_replacement)
			return false;
		text_append(buffer, (struct text){ .start = utf8, .length = count });
	}
	return true;
}

/* Reads the text out of what the firmware passed. Returns false for what is none, and for nothing at all. */
static bool read_text(const void *bytes, size_t size, char *place, struct text *ret_text)
{
	struct text_buffer buffer = { .start = place };

	if (size == 0)
		return false;
	if (size > LOAD_OPTIONS_SIZE_MAX) {
		log_warning("load options ignored: expected at most %u bytes, found %zu", LOAD_OPTIONS_SIZE_MAX, size);
		return false;
	}
	if (is_load_option(bytes, size)) {
		ignore("an EFI_LOAD_OPTION");
		return false;
	}
	if (size % 2) {
		log_warning("load options ignored: expected an even number of bytes, found %zu", size);
		return false;
	}
	if (!convert(bytes, size, &buffer)) {
		ignore("binary data");
		return false;
	}
	*ret_text = text_trim((struct text){ .start = place, .length = buffer.length });
	if (!ret_text->length) {
		ignore("an empty string");
		return false;
	}
	return true;
}

/* A word of the text. */
struct word {
	struct text text; /* without its quotes */
	bool is_closed;	  /* false: a quote is open at the end of everything */
};

/* The load options while they are parsed. */
struct parser {
	struct text rest;
	char *words;		  /* where the next word without its quotes goes */
	struct text_buffer lines; /* of the entry */
	struct load_options options;
};

/* Cuts the next word off. "..." keeps blanks together, around the word or around what follows its first =. */
static struct word take_word(struct parser *parser)
{
	struct text *rest = &parser->rest;
	struct word word = { .text = { .start = parser->words }, .is_closed = true };
	size_t at = 0;

	for (; at < rest->length; at++) {
		char c = rest->start[at];

		if (word.is_closed && (c == ' ' || c == '\t'))
			break;
		if (c == '"')
			word.is_closed = !word.is_closed;
		else
			parser->words[word.text.length++] = c;
	}
	*rest = text_trim((struct text){ .start = rest->start + at, .length = rest->length - at });
	parser->words += word.text.length;
	return word;
}

static bool begins_with(struct text word, struct text prefix, struct text *ret_value)
{
	if (word.length <= prefix.length || memcmp(word.start, prefix.start, prefix.length) != 0)
		return false;
	*ret_value = (struct text){ .start = word.start + prefix.length, .length = word.length - prefix.length };
	return true;
}

static void append_line(struct parser *parser, struct text key, struct text value)
{
	text_append(&parser->lines, key);
	text_append(&parser->lines, TEXT(" "));
	text_append(&parser->lines, value);
	text_append(&parser->lines, TEXT("\n"));
}

/* Takes in one word. Returns false for one that does not belong here. */
static bool parse_option(struct parser *parser, struct text word)
{
	struct load_options *options = &parser->options;
	struct text value;

	if (begins_with(word, TEXT("linux="), &value)) {
		options->has_linux = true;
		append_line(parser, TEXT("linux"), value);
	} else if (begins_with(word, TEXT("initrd="), &value)) {
		append_line(parser, TEXT("initrd"), value);
	} else if (begins_with(word, TEXT("entry="), &value) && !options->entry_path.length) {
		options->entry_path = value;
	} else if (begins_with(word, TEXT("volume="), &value)) {
		options->volume = value;
		append_line(parser, TEXT("volume"), value);
	} else if (begins_with(word, TEXT("measure="), &value)) {
		append_line(parser, TEXT("measure"), value);
	} else if (text_equal(word, TEXT("verbose"))) {
		append_line(parser, TEXT("verbose"), TEXT("yes"));
	} else {
		return false;
	}
	return true;
}

/* Whether a word may be the program's name, which others than the shell may pass first as well. */
enum name_rule {
	NAME_NEVER,
	NAME_IF_EFI, /* if it ends in .efi and is no option: linux=/vmlinuz.efi is none */
	NAME_ALWAYS,
};

static bool parse_word(struct parser *parser, const struct word *word, enum name_rule rule)
{
	if (!word->is_closed) {
		log_warning("load options ignored: expected a \" that closes, found none behind \"%.*s\"",
			    TEXT_ARGS(text_quote(word->text, QUOTE_MAX)));
		return false;
	}
	if (rule == NAME_ALWAYS || parse_option(parser, word->text))
		return true;
	if (rule == NAME_IF_EFI && text_ends_in_efi(word->text))
		return true;
	log_warning("load options ignored: expected linux=, initrd=, entry=, volume=, measure=, verbose, or -- before "
		    "the command line, found \"%.*s\"",
		    TEXT_ARGS(text_quote(word->text, QUOTE_MAX)));
	return false;
}

/* Parses all words. Returns false, with a line, where one of them means nothing here. */
static bool parse_words(struct parser *parser, bool from_shell)
{
	enum name_rule rule = from_shell ? NAME_ALWAYS : NAME_IF_EFI;

	while (parser->rest.length) {
		struct word word = take_word(parser);

		if (word.is_closed && text_equal(word.text, TEXT("--"))) {
			append_line(parser, TEXT("options"), parser->rest);
			break;
		}
		if (!parse_word(parser, &word, rule))
			return false;
		rule = NAME_NEVER;
	}
	if (parser->options.has_linux && parser->options.entry_path.length) {
		log_warning("load options ignored: expected linux= or entry=, found both");
		return false;
	}
	return true;
}

void load_options_parse(const void *bytes, size_t size, bool from_shell, char *buffer, struct load_options *ret_options)
{
	struct parser parser = { 0 };

	*ret_options = (struct load_options){ 0 };
	if (!read_text(bytes, size, buffer, &parser.rest))
		return;
	/* The text, then its words without quotes, then the lines: three parts of one buffer. */
	parser.words = buffer + LOAD_OPTIONS_UTF8_SIZE(size);
	parser.lines.start = parser.words + LOAD_OPTIONS_UTF8_SIZE(size);
	if (!parse_words(&parser, from_shell))
		return;
	parser.options.lines = (struct text){ .start = parser.lines.start, .length = parser.lines.length };
	*ret_options = parser.options;
}
