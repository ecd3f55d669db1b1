// SPDX-License-Identifier: BSD-2-Clause
/* Makes events and counts them. */
#include "efi/measure/events.h"

#include "common/string.h"
#include "efi/measure/tpm.h"
#include "efi/services/firmware.h"

/* No description is longer. */
#define DESCRIPTION_MAX 64

/* TCG_PCClientTaggedEvent: TCG PC Client Platform Firmware Profile Specification, 10.4.2.1. */
struct tagged_event {
	uint32_t id;
	uint32_t size;
	uint8_t data[EVENT_TAG_DATA_MAX];
};

static struct {
	bool has_any;
	bool lacks_any;
} groups[EVENT_GROUPS];

static uint32_t registers_in_use;

void events_start_again(void)
{
	for (int i = 0; i < EVENT_GROUPS; i++)
		groups[i].has_any = false;
	registers_in_use = 0;
}

void events_start(void)
{
	memset(groups, 0, sizeof(groups));
	events_start_again();
}

bool events_are_complete(enum event_group group)
{
	return groups[group].has_any && !groups[group].lacks_any;
}

bool events_are_in(uint32_t pcr)
{
	return registers_in_use >> pcr & 1;
}

static void measure(const struct event_subject *subject, enum tpm_event_type type, const void *log, uint32_t log_size)
{
	const struct tpm_event event = {
		.what = subject->what,
		.pcr = subject->pcr,
		.type = type,
		.bytes = subject->bytes,
		.size = subject->size,
		.log = log,
		.log_size = log_size,
	};

	registers_in_use |= UINT32_C(1) << subject->pcr;
	groups[subject->group].has_any = true;
	groups[subject->group].lacks_any |= !tpm_measure(&event);
}

void event_described(const struct event_subject *subject, const char *description)
{
	uint16_t wide[DESCRIPTION_MAX];
	uint32_t units = 0;

	while (units < DESCRIPTION_MAX - 1 && description[units]) {
		wide[units] = (uint8_t)description[units];
		units++;
	}
	wide[units++] = 0;
	measure(subject, TPM_EVENT_IPL, wide, units * (uint32_t)sizeof(wide[0]));
}

void event_tagged(const struct event_subject *subject, uint32_t id, const void *data, uint32_t size)
{
	struct tagged_event log = { .id = id, .size = size < EVENT_TAG_DATA_MAX ? size : EVENT_TAG_DATA_MAX };

	memcpy(log.data, data, log.size);
	measure(subject, TPM_EVENT_TAG, &log, (uint32_t)offsetof(struct tagged_event, data) + log.size);
}

/*
 * Converts the text to the bytes of an event. The caller frees *ret_memory with free_wide. If there was no memory, the
 * bytes are NULL.
 */
static struct event_subject make_wide(const struct event_subject *subject, struct text text, uint16_t **ret_memory)
{
	struct event_subject wide = *subject;
	uint16_t *memory = NULL;

	*ret_memory = NULL;
	if (firmware_boot_services->AllocatePool(EfiLoaderData, (text.length + 1) * sizeof(*memory),
						 (void **)&memory) != EFI_SUCCESS)
		return wide;
	*ret_memory = memory;
	wide.bytes = text.start;
	wide.size = text.length + 1;
	if (!text_to_utf16(text, memory, text.length + 1))
		return wide;
	wide.bytes = memory;
	wide.size = utf16_size(memory);
	return wide;
}

static void free_wide(uint16_t *memory)
{
	if (memory)
		firmware_boot_services->FreePool(memory);
}

void event_text(const struct event_subject *subject, struct text text)
{
	uint16_t *memory;
	const struct event_subject wide = make_wide(subject, text, &memory);

	measure(&wide, TPM_EVENT_IPL, wide.bytes, (uint32_t)wide.size);
	free_wide(memory);
}

void event_tagged_text(const struct event_subject *subject, struct text text, uint32_t id, const void *data,
		       uint32_t size)
{
	uint16_t *memory;
	const struct event_subject wide = make_wide(subject, text, &memory);

	event_tagged(&wide, id, data, size);
	free_wide(memory);
}
