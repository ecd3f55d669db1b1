// SPDX-License-Identifier: BSD-2-Clause
/* Events for additions to a unified image, in the forms of events.c. */
#include "efi/measure/events.h"

void event_tagged_name(const struct event_subject *subject, uint32_t id, const char *name)
{
	uint16_t wide[EVENT_TAG_DATA_MAX / sizeof(uint16_t)];
	bool fits = text_to_utf16(text_of_string(name), wide, EVENT_TAG_DATA_MAX / sizeof(wide[0]));

	event_tagged(subject, id, wide, fits ? (uint32_t)utf16_size(wide) : 0);
}

void event_options(enum event_group group, const char *what, struct text options)
{
	const struct event_subject subject = { .group = group, .pcr = PCR_CONFIGURATION, .what = what };

	event_text(&subject, options);
}
