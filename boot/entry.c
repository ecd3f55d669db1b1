// SPDX-License-Identifier: BSD-2-Clause
/* Parses entries. Each line is a key, blanks and a value; lines that are empty or begin with # are comments. */
#include "boot/entry.h"

#include "boot/command_line.h"
#include "boot/entry_keys.h"
#include "boot/key_habit.h"
#include "boot/log.h"
#include "boot/plan_builder.h"
#include "boot/volume_path.h"
#include "common/format.h"
#include "common/string.h"

/* Longest quote of a wrong line in a message: usually a digest and a path. */
#define QUOTE_MAX 120

/* Longest quote of an unknown key in the message that lists them, and size of the list. */
#define KEY_QUOTE_MAX 30
#define KEYS_SIZE 256

static enum kexec_status read_unknown(struct plan_builder *builder, struct text name)
{
	struct boot_plan *plan = &builder->plan;
	struct meant_key meant = key_habit_meant(name);

	if (!meant.key) {
		plan->unknown_keys[plan->unknown_key_count++] = name;
		return KEXEC_OK;
	}
	return log_error(KEXEC_BAD_FORMAT, "%s%s: %.*s: expected %.*s%s", plan->said_by,
			 boot_plan_line(plan, name.start).text, TEXT_ARGS(text_quote(name, QUOTE_MAX)),
			 TEXT_ARGS(meant.key->name), meant.is_joined ? ", set off by plain blanks" : "");
}

/* Whether = or : follows the key, as in "linux = /vmlinuz" of other loaders and TOML. */
static bool is_assignment(struct text value)
{
	struct text sign = text_take_word(&value);

	return text_equal(sign, TEXT("=")) || text_equal(sign, TEXT(":"));
}

static enum kexec_status read_line(struct plan_builder *builder, struct text line)
{
	struct text name = text_take_word(&line);
	const struct entry_key *key = entry_key_find(name);
	const char *expected;

	if (!key)
		return read_unknown(builder, name);
	expected = builder->plan.has_lines && is_assignment(line) ? "nothing but blanks between key and value"
								  : key->read(builder, line);
	if (!expected)
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT, "%s%s: %.*s: expected %s, found \"%.*s\"", builder->plan.said_by,
			 boot_plan_line(&builder->plan, name.start).text, TEXT_ARGS(name), expected,
			 TEXT_ARGS(text_quote(line, QUOTE_MAX)));
}

/* Lists the skipped keys, because one of them may have been meant as `linux`. */
static enum kexec_status no_kernel(const struct boot_plan *plan)
{
	char keys[KEYS_SIZE] = "";
	size_t used = 0;

	for (size_t i = 0; i < plan->unknown_key_count; i++) {
		const char *lost = key_habit_lost(plan->unknown_keys[i]);

		used += format_text(keys + used, sizeof(keys) - used, "%s%.*s%s%s%s", i ? ", " : " but unknown keys: ",
				    TEXT_ARGS(text_quote(plan->unknown_keys[i], KEY_QUOTE_MAX)), lost ? " (" : "",
				    lost ? lost : "", lost ? ")" : "");
	}
	return log_error(KEXEC_NOT_FOUND, "%s: expected a line \"linux PATH\", found none%s", plan->said_by, keys);
}

static enum kexec_status read_lines(struct plan_builder *builder)
{
	struct text rest = builder->plan.text;
	struct text line;

	while (text_take_line(&rest, &line)) {
		enum kexec_status status;

		/* Each of several joined files may begin with one. */
		text_skip_prefix(&line, TEXT(UTF8_BYTE_ORDER_MARK));
		line = text_trim(line);
		if (!line.length || line.start[0] == '#')
			continue;
		status = read_line(builder, line);
		if (status)
			return status;
	}
	return builder->plan.kernel.name ? KEXEC_OK : no_kernel(&builder->plan);
}

/* Gives the digest to `part` if the line names it. Returns false if the part has another digest of its kind. */
static bool give_digest(struct boot_part *part, const struct digest_line *line, bool *is_named)
{
	struct part_digest *digest = line->is_fsverity ? &part->fsverity : &part->sha256;

	if (!volume_path_equal(text_of_string(part->name), line->path))
		return true;
	*is_named = true;
	if (digest->is_known)
		return memcmp(digest->bytes, line->digest, sizeof(digest->bytes)) == 0;
	digest->is_known = true;
	memcpy(digest->bytes, line->digest, sizeof(digest->bytes));
	return true;
}

/*
 * Refuses a digest of a file that is not loaded, because it would never be checked. Most likely the lines spell one
 * path in two ways.
 */
static enum kexec_status give_to_parts(struct boot_plan *plan, const struct digest_line *line)
{
	struct boot_part *part;
	const char *key = line->is_fsverity ? "fsverity" : "sha256";
	struct text path = text_quote(line->path, QUOTE_MAX);
	bool is_named = false;
	bool agrees = true;

	for (size_t i = 0; (part = boot_plan_part(plan, i)) != NULL; i++)
		agrees &= give_digest(part, line, &is_named);
	if (!is_named)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s%s: %s: expected the path of a linux or initrd line, found \"%.*s\"", plan->said_by,
				 boot_plan_line(plan, path.start).text, key, TEXT_ARGS(path));
	if (!agrees)
		return log_error(KEXEC_BAD_FORMAT, "%s%s: %s: expected one digest for %.*s, found two", plan->said_by,
				 boot_plan_line(plan, path.start).text, key, TEXT_ARGS(path));
	return KEXEC_OK;
}

static enum kexec_status give_digests(struct plan_builder *builder)
{
	enum kexec_status status = KEXEC_OK;

	for (size_t i = 0; !status && i < builder->digest_count; i++)
		status = give_to_parts(&builder->plan, &builder->digests[i]);
	return status;
}

static enum kexec_status expect_digest(const struct boot_plan *plan, const struct boot_part *part)
{
	struct text name = text_of_string(part->name);

	if (boot_part_has_digest(part))
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT, "%s: expected a line \"fsverity HEX %.*s\" (or sha256), found none",
			 plan->said_by, TEXT_ARGS(text_quote(name, QUOTE_MAX)));
}

/* In a sealed entry nobody vouches for a file without a digest. */
static enum kexec_status expect_digests(struct boot_plan *plan)
{
	enum kexec_status status = KEXEC_OK;
	struct boot_part *part;

	for (size_t i = 0; !status && (part = boot_plan_part(plan, i)) != NULL; i++)
		status = expect_digest(plan, part);
	return status;
}

/* Signed values of register 11 unlock nothing unless the parts are measured into it. */
static enum kexec_status expect_measurement(const struct boot_plan *plan)
{
	const char *key = plan->pcr_signature.name ? "pcrsig" : "pcrpkey";

	if (plan->measured_as_image || (!plan->pcr_signature.name && !plan->pcr_key.name))
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT, "%s: %s: expected a line \"measure uki\" beside it, found none",
			 plan->said_by, key);
}

/* An attacker who can write the volume must not choose what boots after a sealed entry was refused. */
static enum kexec_status refuse_fallback(const struct boot_plan *plan)
{
	if (!plan->fallback)
		return KEXEC_OK;
	return log_error(KEXEC_DENIED,
			 "%s: fallback: expected none in a sealed entry (seal the fallback as another entry instead), "
			 "found \"%.*s\"",
			 plan->said_by, TEXT_ARGS(text_quote(text_of_string(plan->fallback), QUOTE_MAX)));
}

static enum kexec_status read_text(struct plan_builder *builder, enum entry_place place)
{
	bool is_sealed = place == ENTRY_SEALED || place == ENTRY_OF_SECTIONS;
	enum kexec_status status = read_lines(builder);

	if (!status)
		status = command_line_carry_out(builder, is_sealed);
	if (!status)
		status = expect_measurement(&builder->plan);
	if (!status)
		status = give_digests(builder);
	if (!status && is_sealed)
		status = refuse_fallback(&builder->plan);
	if (!status && place == ENTRY_SEALED)
		status = expect_digests(&builder->plan);
	return status;
}

/* Whether the text is ASCII at first, and looks like UTF-16 from the byte before the NUL on. */
static bool goes_on_in_utf16(struct text text, size_t nul)
{
	return nul && text.start[nul - 1] > ' ' && text.length - nul > 2 && text.start[nul + 1] && !text.start[nul + 2];
}

static enum kexec_status check_text(const char *said_by, struct text text)
{
	if (text.length > ENTRY_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes, found %zu", said_by, ENTRY_SIZE_MAX,
				 text.length);
	for (size_t i = 0; i < text.length; i++) {
		if (text.start[i] == '\0')
			return log_error(KEXEC_BAD_FORMAT, "%s: expected text, found a NUL at byte %zu%s", said_by, i,
					 goes_on_in_utf16(text, i) ? ": is there UTF-16 behind it, as PowerShell's >> "
								     "appends?"
								   : "");
	}
	return KEXEC_OK;
}

enum kexec_status entry_to_plan(const char *said_by, struct text text, enum entry_place place,
				struct boot_plan *ret_plan)
{
	static const struct {
		enum part_source source;
		struct plan_trust trust;
		bool has_lines;
	} places[] = {
		[ENTRY_OUTSIDE] = { PART_ON_VOLUME, { TRUST_PLATFORM, TRUST_NOBODY }, .has_lines = true },
		[ENTRY_OF_LOAD_OPTIONS] = { PART_ON_VOLUME, { TRUST_PLATFORM, TRUST_NOBODY }, .has_lines = false },
		[ENTRY_SEALED] = { PART_ON_VOLUME, { TRUST_DIGEST, TRUST_DIGEST }, .has_lines = true },
		[ENTRY_OF_SECTIONS] = { PART_IN_IMAGE, { TRUST_IMAGE, TRUST_IMAGE }, .has_lines = false },
	};
	struct plan_builder builder;
	enum kexec_status status;

	status = check_text(said_by, text);
	if (status)
		return status;
	text_skip_prefix(&text, TEXT(UTF8_BYTE_ORDER_MARK));
	status = plan_builder_start(&builder, said_by, text);
	if (status)
		return status;
	builder.source = places[place].source;
	builder.plan.has_lines = places[place].has_lines;
	status = read_text(&builder, place);
	if (status)
		plan_builder_give_up(&builder);
	else
		plan_builder_finish(&builder, &places[place].trust, ret_plan);
	return status;
}
