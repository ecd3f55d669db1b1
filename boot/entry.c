// SPDX-License-Identifier: BSD-2-Clause
/* Parses entries. Each line is a key, blanks and a value; lines that are empty or begin with # are comments. */
#include "boot/entry.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/string.h"

/* How many characters of a wrong line a message quotes. */
#define QUOTE_MAX 60

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Takes "HEX PATH" apart, a line as sha256sum prints it, the * of its binary mode included. */
static bool parse_digest(struct text value, uint8_t ret_digest[SHA256_DIGEST_SIZE], struct text *ret_path)
{
	struct text hex = text_take_word(&value);

	if (hex.length != DIGEST_TEXT_SIZE - 1 || !value.length)
		return false;
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
		int high = hex_digit(hex.start[2 * i]);
		int low = hex_digit(hex.start[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_digest[i] = (uint8_t)(high << 4 | low);
	}
	if (value.length > 1 && value.start[0] == '*') {
		value.start++;
		value.length--;
	}
	*ret_path = value;
	return true;
}

/* Says which of two words a value is. Returns false, and leaves *ret_is_second as it was, if it is neither. */
static bool choose(struct text value, struct text first, struct text second, bool *ret_is_second)
{
	bool is_second = text_equal(value, second);

	if (!is_second && !text_equal(value, first))
		return false;
	*ret_is_second = is_second;
	return true;
}

/* Reads the value of a key into the entry and returns NULL, or what was expected where it will not do. */
typedef const char *value_reader(struct entry *entry, struct text value);

static const char *read_linux(struct entry *entry, struct text value)
{
	if (!value.length)
		return "a path";
	if (entry->linux_path.length)
		return "one kernel";
	entry->linux_path = value;
	return NULL;
}

static const char *read_initrd(struct entry *entry, struct text value)
{
	(void)entry;
	return value.length ? NULL : "a path";
}

static const char *read_sha256(struct entry *entry, struct text value)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct text path;

	(void)entry;
	return parse_digest(value, digest, &path) ? NULL : "64 hexadecimal digits and a path";
}

static const char *read_signature(struct entry *entry, struct text value)
{
	if (!text_equal(value, TEXT("require")))
		return "require";
	entry->require_signature = true;
	return NULL;
}

static const char *read_on_mismatch(struct entry *entry, struct text value)
{
	bool reset;

	if (!choose(value, TEXT("halt"), TEXT("reset"), &reset))
		return "halt or reset";
	entry->on_mismatch = reset ? ON_MISMATCH_RESET : ON_MISMATCH_HALT;
	return NULL;
}

static const char *read_dma(struct entry *entry, struct text value)
{
	return choose(value, TEXT("on"), TEXT("off"), &entry->dma_off) ? NULL : "on or off";
}

static const char *read_overwrite(struct entry *entry, struct text value)
{
	return choose(value, TEXT("on"), TEXT("off"), &entry->overwrite_off) ? NULL : "on or off";
}

static const char *read_verbose(struct entry *entry, struct text value)
{
	return choose(value, TEXT("no"), TEXT("yes"), &entry->verbose) ? NULL : "yes or no";
}

/* Compared without regard to case by the specification; these are the spellings in use. */
static const char *read_architecture(struct entry *entry, struct text value)
{
	(void)entry;
	return text_equal(value, TEXT("x64")) || text_equal(value, TEXT("X64")) ? NULL : "x64";
}

/* Any value will do. */
static const char *read_text(struct entry *entry, struct text value)
{
	(void)entry;
	(void)value;
	return NULL;
}

static const struct key {
	struct text name;
	enum entry_key id;
	value_reader *read;
} keys[] = {
	{ { "linux", 5 }, ENTRY_LINUX, read_linux },
	{ { "initrd", 6 }, ENTRY_INITRD, read_initrd },
	{ { "options", 7 }, ENTRY_OPTIONS, read_text },
	{ { "sha256", 6 }, ENTRY_SHA256, read_sha256 },
	{ { "signature", 9 }, ENTRY_SIGNATURE, read_signature },
	{ { "on-mismatch", 11 }, ENTRY_ON_MISMATCH, read_on_mismatch },
	{ { "dma", 3 }, ENTRY_DMA, read_dma },
	{ { "memory-overwrite", 16 }, ENTRY_OVERWRITE, read_overwrite },
	{ { "verbose", 7 }, ENTRY_VERBOSE, read_verbose },
	{ { "architecture", 12 }, ENTRY_ARCHITECTURE, read_architecture },
	{ { "title", 5 }, ENTRY_INFORMATION, read_text },
	{ { "version", 7 }, ENTRY_INFORMATION, read_text },
	{ { "machine-id", 10 }, ENTRY_INFORMATION, read_text },
	{ { "sort-key", 8 }, ENTRY_INFORMATION, read_text },
};

struct line {
	struct text key_name;
	struct text value;
	const struct key *key; /* NULL: not known */
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
	ret_line->key = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].name, ret_line->key_name))
			ret_line->key = &keys[i];
	}
	return true;
}

bool entry_next(struct text *rest, enum entry_key key, struct text *ret_value)
{
	struct line line;

	while (take_entry_line(rest, &line)) {
		if (line.key && line.key->id == key) {
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
	const char *expected = line->key ? line->key->read(entry, line->value) : NULL;
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
		if (!parse_digest(value, digest, &path))
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
		if (!line.key)
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
		if (parse_digest(value, ret_digest, &digest_path) && same_path(digest_path, path))
			return true;
	}
	return false;
}
