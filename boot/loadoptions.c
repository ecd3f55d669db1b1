// SPDX-License-Identifier: BSD-2-Clause
/* Turns load options into lines of an entry. */
#include "boot/loadoptions.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "boot/optional_data.h"
#include "common/string.h"

/* Longest quote of a wrong word in a message. */
#define QUOTE_MAX 60

/* A word of the text. */
struct word {
	struct text text; /* without its quotes */
	bool is_closed;	  /* false: its quote is never closed */
};

/* The load options while they are parsed. */
struct parser {
	const struct load_options_sender *sender;
	struct text rest;
	size_t words_taken;
	char *words;		  /* place of the next word without its quotes */
	struct text_buffer lines; /* of the entry */
	struct load_options options;
};

/* Removes the next word. "..." keeps blanks in it, around the whole word or around the value behind its first =. */
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

/* Parses one word. Returns false for an unknown one. */
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
	} else if (begins_with(word, TEXT("network="), &value)) {
		append_line(parser, TEXT("network"), value);
	} else if (text_equal(word, TEXT("verbose"))) {
		append_line(parser, TEXT("verbose"), TEXT("yes"));
	} else {
		return false;
	}
	return true;
}

bool load_options_name_program(struct text word, const struct load_options_sender *sender)
{
	if (sender->is_shell)
		return true;
	if (sender->own_path.length)
		return image_is_named(word, sender->own_path);
	return text_ends_in_efi(word);
}

static bool parse_word(struct parser *parser, const struct word *word)
{
	const struct load_options_sender *sender = parser->sender;
	bool is_first = parser->words_taken == 1;

	if (!word->is_closed) {
		log_warning("load options ignored: expected a \" that closes, found none behind \"%.*s\"",
			    TEXT_ARGS(text_quote(word->text, QUOTE_MAX)));
		return false;
	}
	/*
	 * A shell always passes the program's name first. Any other sender may begin with an option, such as
	 * linux=/kexec.efi.
	 */
	if (is_first && sender->is_shell)
		return true;
	if (parse_option(parser, word->text) || (is_first && load_options_name_program(word->text, sender)))
		return true;
	log_warning(
		"load options ignored: expected linux=, initrd=, entry=, volume=, measure=, network=, verbose, or -- "
		"before the command line, found \"%.*s\"",
		TEXT_ARGS(text_quote(word->text, QUOTE_MAX)));
	return false;
}

/* Parses all words. Warns and returns false if a word has no meaning here. */
static bool parse_words(struct parser *parser)
{
	while (parser->rest.length) {
		struct word word = take_word(parser);

		if (word.is_closed && text_equal(word.text, TEXT("--"))) {
			append_line(parser, TEXT("options"), parser->rest);
			break;
		}
		parser->words_taken++;
		if (!parse_word(parser, &word))
			return false;
	}
	if (parser->options.has_linux && parser->options.entry_path.length) {
		log_warning("load options ignored: expected linux= or entry=, found both");
		return false;
	}
	return true;
}

/* Removes a word and the blank behind it. Returns false if the text does not begin with it. */
static bool take_exactly(struct text *text, struct text word)
{
	struct text rest = *text;

	text_skip_prefix(&rest, word);
	if (rest.length == text->length || (rest.length && rest.start[0] != ' '))
		return false;
	text_skip_prefix(&rest, TEXT(" "));
	*text = rest;
	return true;
}

/*
 * edk2 has made one unit of UTF-16 of each byte of -append (GenericQemuLoadImageLib, "%a"), and we have made two bytes
 * of UTF-8 of each unit that is not ASCII. This restores the bytes.
 */
static struct text narrow(struct text text, char *buffer)
{
	struct text_buffer bytes = { .start = buffer };

	for (size_t i = 0; i < text.length; i++) {
		uint8_t lead = (uint8_t)text.start[i];
		char byte = text.start[i];

		if ((lead & 0xfc) == 0xc0 && i + 1 < text.length)
			byte = (char)(lead << 6 | ((uint8_t)text.start[++i] & 0x3f));
		text_append(&bytes, (struct text){ .start = &byte, .length = 1 });
	}
	return (struct text){ .start = bytes.start, .length = bytes.length };
}

/* Removes the word, which is in front of the command line, or behind it (edk2 before its pull request 11115). */
static bool take_qemu_initrd(struct text *text)
{
	struct text word = TEXT(" initrd=initrd");
	struct text end = *text;

	if (take_exactly(text, TEXT("initrd=initrd")))
		return true;
	if (text->length < word.length)
		return false;
	end.start += text->length - word.length;
	end.length = word.length;
	if (!text_equal(end, word))
		return false;
	text->length -= word.length;
	return true;
}

/*
 * Parses the load options that edk2 makes for QEMU's -shim: "kernel", the text of -append, in which no word is for us,
 * and "initrd=initrd" if there is an initrd. Returns false for any other load options.
 */
static bool parse_qemu_shim(struct parser *parser)
{
	struct text rest = parser->rest;

	if (!parser->sender->is_qemu || parser->sender->is_shell ||
	    !image_is_named(TEXT("shim"), parser->sender->own_path) || !take_exactly(&rest, TEXT("kernel")))
		return false;
	append_line(parser, TEXT("linux"), TEXT("kernel"));
	if (take_qemu_initrd(&rest))
		append_line(parser, TEXT("initrd"), TEXT("initrd"));
	append_line(parser, TEXT("options"), narrow(rest, parser->words));
	parser->options.has_linux = true;
	return true;
}

void load_options_parse(const void *bytes, size_t size, const struct load_options_sender *sender, char *buffer,
			struct load_options *ret_options)
{
	struct parser parser = { .sender = sender };

	*ret_options = (struct load_options){ 0 };
	if (!size)
		return;
	if (!optional_data_text(bytes, size, buffer, &parser.rest, &ret_options->skipped))
		return;
	/* The text, then its words without quotes, then the lines: three parts of one buffer. */
	parser.words = buffer + OPTIONAL_DATA_TEXT_SIZE(size);
	parser.lines.start = parser.words + OPTIONAL_DATA_TEXT_SIZE(size);
	if (!sender->is_shell && optional_data_is_mark(parser.rest)) {
		ret_options->skipped = "a mark of the firmware";
		return;
	}
	if (!parse_qemu_shim(&parser) && !parse_words(&parser))
		return;
	parser.options.lines = (struct text){ .start = parser.lines.start, .length = parser.lines.length };
	*ret_options = parser.options;
}
