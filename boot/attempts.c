// SPDX-License-Identifier: BSD-2-Clause
/* Goes from entry to entry. */
#include "boot/attempts.h"

#include "boot/log.h"
#include "boot/volume_path.h"
#include "common/format.h"
#include "common/string.h"

/* Room for "sealed entry 8". */
#define SEALED_NAME_SIZE 40

/* The name of an entry in messages. It may be in `room`. */
static const char *name_of(const struct attempts *attempts, size_t index, char room[SEALED_NAME_SIZE])
{
	if (!attempts->sealed)
		return attempts->list[index].path;
	format_text(room, SEALED_NAME_SIZE, "sealed entry %zu", index + 1);
	return room;
}

struct attempt *attempts_current(struct attempts *attempts)
{
	return &attempts->list[attempts->index];
}

static bool was_tried(const struct attempts *attempts, const char *path)
{
	for (size_t i = 0; i <= attempts->index; i++) {
		if (volume_path_equal(text_of_string(attempts->list[i].path), text_of_string(path)))
			return true;
	}
	return false;
}

bool attempts_has_next(const struct attempts *attempts)
{
	const char *next = attempts->list[attempts->index].next;

	if (attempts->index + 1 >= ATTEMPTS_MAX)
		return false;
	if (attempts->sealed)
		return attempts->index + 1 < attempts->sealed;
	return next[0] && !was_tried(attempts, next);
}

/* Warns if a fallback is not tried, because the entry's author relies on it. */
static void say_why_none(const struct attempts *attempts)
{
	const struct attempt *current = &attempts->list[attempts->index];

	if (attempts->sealed || !current->next[0])
		return;
	if (was_tried(attempts, current->next))
		log_warning("%s: fallback: expected an entry that was not tried before, found %s", current->path,
			    current->next);
	else
		log_warning("%s: fallback: expected at most %u entries to be tried, found %s", current->path,
			    ATTEMPTS_MAX, current->next);
}

bool attempts_go_on(struct attempts *attempts, const char *reason)
{
	struct attempt *current = attempts_current(attempts);
	char refused[SEALED_NAME_SIZE];
	char next[SEALED_NAME_SIZE];

	format_text(current->reason, sizeof(current->reason), "%s", reason);
	if (!attempts_has_next(attempts)) {
		say_why_none(attempts);
		return false;
	}
	attempts->index++;
	if (!attempts->sealed)
		memcpy(attempts_current(attempts)->path, current->next, sizeof(current->next));
	log_warning("%s is refused: trying %s", name_of(attempts, attempts->index - 1, refused),
		    name_of(attempts, attempts->index, next));
	return true;
}

void attempts_print(const struct attempts *attempts)
{
	char booted[SEALED_NAME_SIZE];
	char refused[SEALED_NAME_SIZE];

	for (size_t i = 0; i < attempts->index; i++)
		log_warning("booting %s, since %s was refused: %s", name_of(attempts, attempts->index, booted),
			    name_of(attempts, i, refused), attempts->list[i].reason);
}
