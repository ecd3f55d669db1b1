// SPDX-License-Identifier: BSD-2-Clause
/* The keys that an entry may have, each with what reads its value. */
#include "boot/entry_keys.h"

#include "common/align.h"
#include "common/digest_text.h"

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

bool entry_parse_digest(struct text value, uint8_t ret_digest[SHA256_DIGEST_SIZE], struct text *ret_path)
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
	return entry_parse_digest(value, digest, &path) ? NULL : "64 hexadecimal digits and a path";
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

static const struct entry_key_reader keys[] = {
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

const struct entry_key_reader *entry_key_find(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}
