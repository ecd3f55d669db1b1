// SPDX-License-Identifier: BSD-2-Clause
/* Recognises sidecars by their names. */
#include "boot/sidecar.h"

#include "boot/volume_path.h"
#include "common/align.h"
#include "common/format.h"

#define EXTRA_DIRECTORY ".extra.d"

/* If two suffixes fit, the longer comes first. */
static const struct {
	struct text suffix;
	enum sidecar kind;
} kinds[] = {
	{ TEXT(".addon.efi"), SIDECAR_ADDON },
	{ TEXT(".confext.raw"), SIDECAR_CONFEXT },
	{ TEXT(".raw"), SIDECAR_SYSEXT },
	{ TEXT(".cred"), SIDECAR_CREDENTIAL },
};

/* `suffix` must be in lower case. */
static bool ends_in(struct text text, struct text suffix)
{
	if (text.length < suffix.length)
		return false;
	text_drop(&text, text.length - suffix.length);
	for (size_t i = 0; i < suffix.length; i++) {
		if (text_lower(text.start[i]) != suffix.start[i])
			return false;
	}
	return true;
}

enum sidecar sidecar_kind(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (ends_in(name, kinds[i].suffix))
			return kinds[i].kind;
	}
	return SIDECAR_NONE;
}

bool sidecar_is_name(struct text name)
{
	if (!name.length || name.length > SIDECAR_NAME_MAX || name.start[0] == '.')
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.start[i] < ' ' || name.start[i] > '~' || volume_path_is_separator(name.start[i]))
			return false;
	}
	return true;
}

/* Offset of the name. */
static size_t name_start(struct text path)
{
	size_t start = path.length;

	while (start && !volume_path_is_separator(path.start[start - 1]))
		start--;
	return start;
}

/*
 * Recognises systemd-boot's counter: +LEFT or +LEFT-DONE, followed by a suffix or the end of the name
 * (systemd.io/AUTOMATIC_BOOT_ASSESSMENT).
 */
static bool is_count(struct text text, size_t *ret_length)
{
	struct text rest = text;
	uint64_t number;

	text_drop(&rest, 1);
	if (!text_take_number(&rest, UINT64_MAX, &number))
		return false;
	if (rest.length && rest.start[0] == '-') {
		text_drop(&rest, 1);
		if (!text_take_number(&rest, UINT64_MAX, &number))
			return false;
	}
	*ret_length = text.length - rest.length;
	return !rest.length || rest.start[0] == '.';
}

/*
 * Finds the counter. As for systemd, only the first + in the name counts: NAME+A+3.efi has no counter. If there is
 * none, the result is empty, at the end.
 */
static struct text find_count(struct text path)
{
	struct text count = path;
	size_t length;

	text_drop(&count, name_start(path));
	while (count.length && count.start[0] != '+')
		text_drop(&count, 1);
	if (count.length && is_count(count, &length))
		return (struct text){ .start = count.start, .length = length };
	return (struct text){ .start = path.start + path.length };
}

bool sidecar_folder(struct text path, char *ret_folder, size_t capacity)
{
	struct text count = find_count(path);
	struct text front = { .start = path.start, .length = (size_t)(count.start - path.start) };
	struct text rest = path;

	text_drop(&rest, front.length + count.length);
	if (capacity < sizeof(EXTRA_DIRECTORY) || front.length + rest.length > capacity - sizeof(EXTRA_DIRECTORY))
		return false;
	format_text(ret_folder, capacity, "%.*s%.*s" EXTRA_DIRECTORY, TEXT_ARGS(front), TEXT_ARGS(rest));
	return true;
}
