// SPDX-License-Identifier: BSD-2-Clause
#include "efi/measure/sections.h"

#include "common/format.h"
#include "common/string.h"
#include "efi/measure/events.h"
#include "efi/services/firmware.h"

#define PROFILE_TAG 0x13aed6dbu /* systemd 262, src/fundamental/tpm2-pcr.h: UKI_PROFILE_EVENT_TAG_ID */

/* Like systemd-stub, measures nothing for profile 0, which is the default. */
void sections_measure_profile(uint32_t profile)
{
	const struct event_subject subject = {
		.group = EVENTS_OF_PARAMETERS,
		.pcr = PCR_CONFIGURATION,
		.what = "profile",
	};
	char text[12];
	uint16_t wide[sizeof(text)];
	size_t length;

	if (!profile)
		return;
	length = format_text(text, sizeof(text), "%u", profile);
	text_to_utf16((struct text){ .start = text, .length = length }, wide, sizeof(text));
	event_tagged_text(&subject, (struct text){ .start = text, .length = length }, PROFILE_TAG, wide,
			  (uint32_t)((length + 1) * sizeof(wide[0])));
}

/* Measures its name with the NUL, then its content. */
static void measure_section(const char *name, const void *bytes, uint64_t size)
{
	struct event_subject subject = {
		.group = EVENTS_OF_IMAGE,
		.pcr = PCR_UNIFIED_IMAGE,
		.what = name,
		.bytes = name,
		.size = strlen(name) + 1,
	};

	event_described(&subject, name);
	subject.bytes = bytes;
	subject.size = size;
	event_described(&subject, name);
}

/* Also measures the zeros that only memory has, because firmware would load them. */
static void measure_with_zeros(const char *name, const void *bytes, const struct unified_section *section)
{
	uint8_t *copy = NULL;

	if (firmware_boot_services->AllocatePool(EfiLoaderData, section->size, (void **)&copy) != EFI_SUCCESS) {
		measure_section(name, NULL, section->size);
		return;
	}
	memcpy(copy, bytes, section->file_size);
	memset(copy + section->file_size, 0, section->size - section->file_size);
	measure_section(name, copy, section->size);
	firmware_boot_services->FreePool(copy);
}

void sections_measure(const struct unified_view *view)
{
	for (int i = 0; i < UNIFIED_PARTS; i++) {
		const struct unified_section *section = &view->image.sections[i];
		const char *name = unified_section_name((enum unified_part)i);

		/* A signature of the register's values cannot be part of them. */
		if (!section->size || i == UNIFIED_SIGNATURE)
			continue;
		if (section->size == section->file_size)
			measure_section(name, view->bytes + section->offset, section->size);
		else
			measure_with_zeros(name, view->bytes + section->offset, section);
	}
}

void sections_measure_as(enum unified_part part, const void *bytes, uint64_t size)
{
	if (size)
		measure_section(unified_section_name(part), bytes, size);
}
