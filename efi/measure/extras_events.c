// SPDX-License-Identifier: BSD-2-Clause
#include "efi/measure/extras_events.h"

#include "common/align.h"
#include "efi/measure/events.h"

/* systemd.io/TPM2_PCR_MEASUREMENTS */
#define PCR_SYSEXTS 13u

/* systemd 262, src/fundamental/tpm2-pcr.h: UCODE_ADDON_EVENT_TAG_ID */
#define MICROCODE_TAG 0xdac08e1au

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

static void measure_extra(const struct extra *extra)
{
	const struct event_subject subject = subject_of(extra);

	if (extra->group == EXTRA_UNMEASURED)
		return;
	if (extra->event)
		event_described(&subject, extra->event);
	else
		event_tagged_name(&subject, extra->order == EXTRA_MICROCODE ? MICROCODE_TAG : EVENT_ADDED_INITRD_TAG,
				  extra->name);
}

void measure_extras(const struct extras *extras)
{
	static const enum extra_order order[] = { EXTRA_ARCHIVE, EXTRA_MICROCODE, EXTRA_INITRD };

	if (extras->addon_options.length)
		event_options(EVENTS_OF_PARAMETERS, "options of addons", extras->addon_options);
	if (extras->machine_options.length)
		event_options(EVENTS_OF_PARAMETERS, "options of the machine", extras->machine_options);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t j = 0; j < extras->count; j++) {
			const struct extra *extra =
				&extras->list[order[i] == EXTRA_MICROCODE ? extras->count - 1 - j : j];

			if (extra->order == order[i])
				measure_extra(extra);
		}
	}
}
