// SPDX-License-Identifier: BSD-2-Clause
/* Parses entries. Each line is a key, blanks and a value; lines that are empty or begin with # are comments. */
#include "boot/entry.h"

#include "boot/entry_keys.h"
#include "boot/log.h"
#include "common/string.h"

/* How many characters of a wrong line a message quotes: a digest and a path, as a rule. */
#define QUOTE_MAX 120

struct line {
	struct text key_name;
	struct text value;
	const struct entry_key_reader *reader; /* NULL: the key is not known */
};

/* Cuts the next line that is neither empty nor a comment off *rest. */
static bool take_entry_line(struct text *rest, struct line *ret_line)
{
	struct text text;

	do {
		if (!text_take_line(rest, &text))
			return false;
		text = text_trim(text);
	} while (!text.length || text.start[0] == '#');

	ret_line->key_name = text_take_word(&text);
	ret_line->value = text;
	ret_line->reader = entry_key_find(ret_line->key_name);
	return true;
}

bool entry_next(struct text *rest, enum entry_key key, struct text *ret_value)
{
	struct line line;

	while (take_entry_line(rest, &line)) {
		if (line.reader && line.reader->key == key) {
			*ret_value = line.value;
			return true;
		}
	}
	return false;
}

/* As much of somebody's text as a message has room for. */
static struct text quoted(struct text text)
{
	if (text.length > QUOTE_MAX)
		text.length = QUOTE_MAX;
	return text;
}

static enum kexec_status parse_line(struct entry *entry, const struct line *line)
{
	const char *expected = line->reader ? line->reader->read(entry, line->value) : NULL;
	struct text found = quoted(line->value);

	if (!expected)
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT, "%s: %.*s: expected %s, found \"%.*s\"", entry->source,
			 TEXT_ARGS(line->key_name), expected, TEXT_ARGS(found));
}

/* Both slashes separate, as everywhere in an entry. */
static bool same_path(struct text a, struct text b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++) {
		bool separators =
			(a.start[i] == '/' || a.start[i] == '\\') && (b.start[i] == '/' || b.start[i] == '\\');

		if (a.start[i] != b.start[i] && !separators)
			return false;
	}
	return true;
}

static bool names_file(const struct entry *entry, struct text path)
{
	struct text rest = entry->text;
	struct text initrd;

	if (same_path(entry->linux_path, path))
		return true;
	while (entry_next(&rest, ENTRY_INITRD, &initrd)) {
		if (same_path(initrd, path))
			return true;
	}
	return false;
}

/* A digest for a file that is not loaded is a digest that is not checked: most likely a path spelled in two ways. */
static enum kexec_status check_digest_paths(const struct entry *entry)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	uint8_t first[SHA256_DIGEST_SIZE];
	struct text rest = entry->text;
	struct text value;
	struct text path;

	while (entry_next(&rest, ENTRY_SHA256, &value)) {
		if (!entry_parse_digest(value, digest, &path))
			continue;
		if (!names_file(entry, path))
			return log_error(KEXEC_BAD_FORMAT,
					 "%s: sha256: expected the path of a linux or initrd line, found \"%.*s\"",
					 entry->source, TEXT_ARGS(quoted(path)));
		if (entry_digest(entry, path, first) && memcmp(first, digest, sizeof(digest)) != 0)
			return log_error(KEXEC_BAD_FORMAT, "%s: sha256: expected one digest for %.*s, found two",
					 entry->source, TEXT_ARGS(quoted(path)));
	}
	return KEXEC_OK;
}

static enum kexec_status check_text(const char *source, struct text text)
{
	if (text.length > ENTRY_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes, found %zu", source, ENTRY_SIZE_MAX,
				 text.length);
	for (size_t i = 0; i < text.length; i++) {
		if (text.start[i] == '\0')
			return log_error(KEXEC_BAD_FORMAT, "%s: expected text, found a NUL at byte %zu", source, i);
	}
	return KEXEC_OK;
}

enum kexec_status entry_parse(const char *source, struct text text, struct entry *ret_entry)
{
	struct text byte_order_mark = TEXT("\xef\xbb\xbf");
	struct entry entry = { .source = source };
	enum kexec_status status;
	struct text rest;
	struct line line;

	status = check_text(source, text);
	if (status)
		return status;
	entry.text = text;
	if (text.length >= 3 && memcmp(text.start, byte_order_mark.start, 3) == 0)
		entry.text = (struct text){ .start = text.start + 3, .length = text.length - 3 };

	for (rest = entry.text; take_entry_line(&rest, &line);) {
		status = parse_line(&entry, &line);
		if (status)
			return status;
	}
	if (!entry.linux_path.length)
		return log_error(KEXEC_NOT_FOUND, "%s: expected a line \"linux PATH\", found none", source);
	status = check_digest_paths(&entry);
	if (status)
		return status;
	*ret_entry = entry;
	return KEXEC_OK;
}

static enum kexec_status check_sealed_path(const struct entry *entry, struct text path)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	if (entry_digest(entry, path, digest))
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT, "%s: expected a line \"sha256 HEX %.*s\", found none", entry->source,
			 TEXT_ARGS(quoted(path)));
}

enum kexec_status entry_check_sealed(const struct entry *entry)
{
	enum kexec_status status = check_sealed_path(entry, entry->linux_path);
	struct text rest = entry->text;
	struct text initrd;

	while (!status && entry_next(&rest, ENTRY_INITRD, &initrd))
		status = check_sealed_path(entry, initrd);
	return status;
}

void entry_print_unknown_keys(const struct entry *entry)
{
	struct text rest = entry->text;
	struct line line;

	while (take_entry_line(&rest, &line)) {
		if (!line.reader)
			log_verbose("%s: unknown key %.*s skipped", entry->source, TEXT_ARGS(quoted(line.key_name)));
	}
}

size_t entry_command_line_size(const struct entry *entry)
{
	struct text rest = entry->text;
	struct text options;
	size_t size = 0;

	while (entry_next(&rest, ENTRY_OPTIONS, &options)) {
		if (options.length)
			size += options.length + 1;
	}
	return size ? size - 1 : 0;
}

void entry_command_line(const struct entry *entry, char *ret_command_line)
{
	struct text rest = entry->text;
	struct text options;
	char *at = ret_command_line;

	while (entry_next(&rest, ENTRY_OPTIONS, &options)) {
		if (!options.length)
			continue;
		if (at > ret_command_line)
			*at++ = ' ';
		memcpy(at, options.start, options.length);
		at += options.length;
	}
	*at = '\0';
}

bool entry_digest(const struct entry *entry, struct text path, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	struct text rest = entry->text;
	struct text value;
	struct text digest_path;

	while (entry_next(&rest, ENTRY_SHA256, &value)) {
		if (entry_parse_digest(value, ret_digest, &digest_path) && same_path(digest_path, path))
			return true;
	}
	return false;
}
