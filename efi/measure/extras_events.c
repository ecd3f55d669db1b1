// SPDX-License-Identifier: BSD-2-Clause
#include "efi/measure/extras_events.h"

#include "common/align.h"
#include "common/string.h"
#include "efi/measure/events.h"
#include "efi/measure/sections.h"

/* systemd.io/TPM2_PCR_MEASUREMENTS */
#define PCR_SYSEXTS 13u

/* systemd 262, src/fundamental/tpm2-pcr.h: INITRD_ADDON_EVENT_TAG_ID and UCODE_ADDON_EVENT_TAG_ID */
#define INITRD_TAG 0x49dffe0fu
#define MICROCODE_TAG 0xdac08e1au

static void measure_options(const char *what, struct text options)
{
	const struct event_subject subject = { .group = EVENTS_OF_PARAMETERS, .pcr = PCR_CONFIGURATION, .what = what };

	if (options.length)
		event_text(&subject, options);
}

static struct event_subject subject_of(const struct extra *extra)
{
	static const struct {
		enum event_group group;
		uint32_t pcr;
	} groups[] = {
		[EXTRA_PARAMETERS] = { EVENTS_OF_PARAMETERS, PCR_CONFIGURATION },
		[EXTRA_SYSEXTS] = { EVENTS_OF_SYSEXTS, PCR_SYSEXTS },
		[EXTRA_CONFEXTS] = { EVENTS_OF_CONFEXTS, PCR_CONFIGURATION },
	};

	return (struct event_subject){
		.group = groups[extra->group].group,
		.pcr = groups[extra->group].pcr,
		.what = extra->name,
		.bytes = phys_to_ptr(extra->addr),
		.size = extra->size,
	};
}

/* The file's name, in UTF-16 with its NUL, is the event's data. */
static void measure_addon(const struct extra *extra)
{
	const struct event_subject subject = subject_of(extra);
	uint16_t wide[EVENT_TAG_DATA_MAX / sizeof(uint16_t)];
	uint32_t units = 0;

	if (text_to_utf16(text_of_string(extra->name), wide, ARRAY_SIZE(wide)))
		units = (uint32_t)strlen(extra->name) + 1;
	event_tagged(&subject, extra->order == EXTRA_MICROCODE ? MICROCODE_TAG : INITRD_TAG, wide,
		     units * (uint32_t)sizeof(wide[0]));
}

static void measure_extra(const struct extra *extra)
{
	const struct event_subject subject = subject_of(extra);

	if (extra->group == EXTRA_UNMEASURED)
		return;
	if (extra->event)
		event_described(&subject, extra->event);
	else
		measure_addon(extra);
}

void measure_extras(const struct extras *extras)
{
	static const enum extra_order order[] = { EXTRA_ARCHIVE, EXTRA_MICROCODE, EXTRA_INITRD };

	measure_options("options of addons", extras->addon_options);
	measure_options("options of the machine", extras->machine_options);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t j = 0; j < extras->count; j++) {
			const struct extra *extra =
				&extras->list[order[i] == EXTRA_MICROCODE ? extras->count - 1 - j : j];

			if (extra->order == order[i])
				measure_extra(extra);
		}
	}
}
