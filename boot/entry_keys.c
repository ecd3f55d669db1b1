// SPDX-License-Identifier: BSD-2-Clause
/* Reads the value of each key. */
#include "boot/entry_keys.h"

#include "boot/fallback.h"
#include "boot/partuuid.h"
#include "boot/path_habit.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/string.h"

/* No image has more profiles. */
#define PROFILE_DIGITS_MAX 4

/* Takes "HEX PATH" apart, or the same with `algorithm` before HEX. */
static bool parse_digest(struct text value, struct text algorithm, struct digest_line *ret_line)
{
	struct text hex = text_take_word(&value);

	text_skip_prefix(&hex, algorithm);
	if (hex.length != DIGEST_TEXT_SIZE - 1 || !value.length)
		return false;
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
		int high = text_hex_digit(hex.start[2 * i]);
		int low = text_hex_digit(hex.start[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_line->digest[i] = (uint8_t)(high << 4 | low);
	}
	ret_line->path = value;
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

static const char *expect_path(struct text value)
{
	return value.length ? path_habit(value) : "a path";
}

static const char *read_linux(struct plan_builder *builder, struct text value)
{
	const char *expected = expect_path(value);

	if (expected)
		return expected;
	if (builder->plan.kernel.name)
		return "one kernel only";
	builder->plan.kernel.name = plan_builder_name(builder, value);
	return NULL;
}

static const char *read_initrd(struct plan_builder *builder, struct text value)
{
	const char *expected = expect_path(value);

	if (expected)
		return expected;
	plan_builder_add_initrd(builder, value);
	return NULL;
}

/* Whether the value ends like a line that a shell would continue. Here the next line would be lost. */
static bool goes_on(struct text value)
{
	struct text end = value;

	if (value.length && value.start[value.length - 1] != '\\')
		return false;
	text_drop(&end, value.length > 2 ? value.length - 2 : 0);
	return text_equal(end, TEXT(" \\")) || text_equal(end, TEXT("\t\\")) || text_equal(value, TEXT("\\"));
}

static const char *read_options(struct plan_builder *builder, struct text value)
{
	if (builder->plan.has_lines && goes_on(value))
		return "the whole line, without a \\ at its end";
	plan_builder_add_options(builder, value);
	return NULL;
}

/* In decimal, as in the @N of systemd-stub's load options. */
static const char *read_profile(struct plan_builder *builder, struct text value)
{
	uint64_t profile;

	if (builder->plan.has_profile)
		return "one profile";
	if (value.length > PROFILE_DIGITS_MAX || !text_take_number(&value, UINT32_MAX, &profile) || value.length)
		return "a number of at most 4 digits";
	builder->plan.has_profile = true;
	builder->plan.profile = (uint32_t)profile;
	return NULL;
}

/* A line of `fsverity digest`, with the algorithm's name, or a digest of `fsverity digest --compact` and a path. */
static const char *read_fsverity(struct plan_builder *builder, struct text value)
{
	struct digest_line *line = &builder->digests[builder->digest_count];

	if (!parse_digest(value, TEXT("sha256:"), line))
		return "64 hexadecimal digits, of SHA-256, and a path";
	line->is_fsverity = true;
	builder->digest_count++;
	return NULL;
}

/* A line of sha256sum, with or without the * of its binary mode. */
static const char *read_sha256(struct plan_builder *builder, struct text value)
{
	struct digest_line *line = &builder->digests[builder->digest_count];

	if (!parse_digest(value, TEXT(""), line))
		return "64 hexadecimal digits and a path";
	line->is_fsverity = false;
	if (line->path.length > 1)
		text_skip_prefix(&line->path, TEXT("*"));
	builder->digest_count++;
	return NULL;
}

/*
 * One volume for all paths, wherever the line stands. The same volume may be named twice, because load options are
 * appended to an entry file.
 */
static const char *read_volume(struct plan_builder *builder, struct text value)
{
	char *volume = builder->plan.volume;
	char found[PARTUUID_SIZE];

	if (!volume_parse(value, found))
		return volume_expected(value);
	if (volume[0] && strcmp(volume, found) != 0)
		return "one volume for all paths";
	memcpy(volume, found, sizeof(found));
	return NULL;
}

static const char *read_signature(struct plan_builder *builder, struct text value)
{
	if (!text_equal(value, TEXT("require")))
		return "require";
	builder->plan.require_signature = true;
	return NULL;
}

/* Each line asks for one of the two. */
static const char *read_measure(struct plan_builder *builder, struct text value)
{
	bool as_image;

	if (!choose(value, TEXT("require"), TEXT("uki"), &as_image))
		return "require or uki";
	builder->plan.require_measurement |= !as_image;
	builder->plan.measured_as_image |= as_image;
	return NULL;
}

static const char *read_one_path(struct plan_builder *builder, struct text value, struct boot_part *part)
{
	const char *expected = expect_path(value);

	if (expected)
		return expected;
	if (part->name)
		return "one path only";
	part->name = plan_builder_name(builder, value);
	return NULL;
}

static const char *read_pcr_signature(struct plan_builder *builder, struct text value)
{
	return read_one_path(builder, value, &builder->plan.pcr_signature);
}

static const char *read_pcr_key(struct plan_builder *builder, struct text value)
{
	return read_one_path(builder, value, &builder->plan.pcr_key);
}

static const char *read_fallback(struct plan_builder *builder, struct text value)
{
	const char *expected = fallback_expected(value);

	if (expected)
		return expected;
	if (builder->plan.fallback)
		return "one path only";
	builder->plan.fallback = plan_builder_name(builder, value);
	return NULL;
}

static const char *read_network(struct plan_builder *builder, struct text value)
{
	if (!text_equal(value, TEXT("trust")))
		return "trust";
	builder->plan.network_trusted = true;
	return NULL;
}

static const char *read_on_mismatch(struct plan_builder *builder, struct text value)
{
	bool reset;

	if (!choose(value, TEXT("halt"), TEXT("reset"), &reset))
		return "halt or reset";
	builder->plan.on_mismatch = reset ? ON_MISMATCH_RESET : ON_MISMATCH_HALT;
	return NULL;
}

static const char *read_dma(struct plan_builder *builder, struct text value)
{
	builder->plan.dma_is_said = true;
	return choose(value, TEXT("on"), TEXT("off"), &builder->plan.dma_off) ? NULL : "on or off";
}

static const char *read_overwrite(struct plan_builder *builder, struct text value)
{
	return choose(value, TEXT("on"), TEXT("off"), &builder->plan.overwrite_off) ? NULL : "on or off";
}

static const char *read_forensics(struct plan_builder *builder, struct text value)
{
	return choose(value, TEXT("off"), TEXT("on"), &builder->plan.forensics) ? NULL : "on or off";
}

static const char *read_verbose(struct plan_builder *builder, struct text value)
{
	return choose(value, TEXT("no"), TEXT("yes"), &builder->plan.verbose) ? NULL : "yes or no";
}

/* The specification ignores case. These two spellings are in use. */
static const char *read_architecture(struct plan_builder *builder, struct text value)
{
	(void)builder;
	return text_equal(value, TEXT("x64")) || text_equal(value, TEXT("X64")) ? NULL : "x64";
}

/* For menus: any value will do. */
static const char *read_information(struct plan_builder *builder, struct text value)
{
	(void)builder;
	(void)value;
	return NULL;
}

static const struct entry_key keys[] = {
	{ TEXT("linux"), read_linux },
	{ TEXT("uki"), read_linux },
	{ TEXT("profile"), read_profile },
	{ TEXT("initrd"), read_initrd },
	{ TEXT("options"), read_options },
	{ TEXT("fsverity"), read_fsverity },
	{ TEXT("sha256"), read_sha256 },
	{ TEXT("volume"), read_volume },
	{ TEXT("signature"), read_signature },
	{ TEXT("measure"), read_measure },
	{ TEXT("pcrsig"), read_pcr_signature },
	{ TEXT("pcrpkey"), read_pcr_key },
	{ TEXT("network"), read_network },
	{ TEXT("on-mismatch"), read_on_mismatch },
	{ TEXT("fallback"), read_fallback },
	{ TEXT("dma"), read_dma },
	{ TEXT("memory-overwrite"), read_overwrite },
	{ TEXT("forensics"), read_forensics },
	{ TEXT("verbose"), read_verbose },
	{ TEXT("architecture"), read_architecture },
	{ TEXT("title"), read_information },
	{ TEXT("version"), read_information },
	{ TEXT("machine-id"), read_information },
	{ TEXT("sort-key"), read_information },
};

const struct entry_key *entry_key_find(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}

const struct entry_key *entry_key_at(size_t index)
{
	return index < ARRAY_SIZE(keys) ? &keys[index] : NULL;
}
