// SPDX-License-Identifier: BSD-2-Clause
/* Measurements of all additions to a unified image: their order and their registers. */
#include "efi/measure/extras_events.h"

#include <stdio.h>

#include "efi/measure/events.h"
#include "tests/unit/support.h"

static char events[1000];

static void note(const struct event_subject *subject, const char *form, const char *text)
{
	size_t length = strlen(events);

	snprintf(events + length, sizeof(events) - length, "%u group %u %s \"%s\" of %lu at %lx\n", subject->pcr, subject->group,
		 form, text, subject->size, (uintptr_t)subject->bytes);
}

/* Replaces efi/measure/events.c. */
void event_text(const struct event_subject *subject, struct text text)
{
	char copy[100];

	snprintf(copy, sizeof(copy), "%.*s", TEXT_ARGS(text));
	note(subject, "text", copy);
}

void event_described(const struct event_subject *subject, const char *description)
{
	note(subject, "described", description);
}

void event_tagged(const struct event_subject *subject, uint32_t id, const void *data, uint32_t size)
{
	const uint16_t *wide = data;
	char narrow[200];
	char form[20];

	assert_in_range(size, 2, 2 * sizeof(narrow));
	for (size_t i = 0; i < size / 2; i++)
		narrow[i] = (char)wide[i];
	assert_int_equal(narrow[size / 2 - 1], '\0');
	snprintf(form, sizeof(form), "%x", id);
	note(subject, form, narrow);
}

#define EXTRA(name_, order_, group_, event_, addr_)                                                                    \
	{                                                                                                              \
		.name = (name_), .order = (order_), .group = (group_), .event = (event_), .size = 4, .addr = (addr_)    \
	}

static void order_is_that_of_systemd_stub(void **state)
{
	struct extra list[] = {
		EXTRA("c", EXTRA_ARCHIVE, EXTRA_PARAMETERS, "Credentials initrd", 0x10),
		EXTRA("s", EXTRA_ARCHIVE, EXTRA_SYSEXTS, "System extension initrd", 0x20),
		EXTRA("f", EXTRA_ARCHIVE, EXTRA_CONFEXTS, "Configuration extension initrd", 0x30),
		EXTRA(".osrel", EXTRA_ARCHIVE, EXTRA_UNMEASURED, NULL, 0x40),
		EXTRA("1.addon.efi", EXTRA_MICROCODE, EXTRA_PARAMETERS, NULL, 0x50),
		EXTRA("1.addon.efi", EXTRA_INITRD, EXTRA_PARAMETERS, NULL, 0x60),
		EXTRA("2.addon.efi", EXTRA_MICROCODE, EXTRA_PARAMETERS, NULL, 0x70),
		EXTRA("2.addon.efi", EXTRA_INITRD, EXTRA_PARAMETERS, NULL, 0x80),
	};
	const struct extras extras = {
		.list = list,
		.count = sizeof(list) / sizeof(list[0]),
		.addon_options = TEXT("a b"),
		.machine_options = TEXT("m"),
	};

	(void)state;
	measure_extras(&extras);
	assert_string_equal(events, "12 group 2 text \"a b\" of 0 at 0\n"
				    "12 group 2 text \"m\" of 0 at 0\n"
				    "12 group 2 described \"Credentials initrd\" of 4 at 10\n"
				    "13 group 3 described \"System extension initrd\" of 4 at 20\n"
				    "12 group 4 described \"Configuration extension initrd\" of 4 at 30\n"
				    "12 group 2 dac08e1a \"2.addon.efi\" of 4 at 70\n"
				    "12 group 2 dac08e1a \"1.addon.efi\" of 4 at 50\n"
				    "12 group 2 49dffe0f \"1.addon.efi\" of 4 at 60\n"
				    "12 group 2 49dffe0f \"2.addon.efi\" of 4 at 80\n");
}

static void nothing_is_measured_of_nothing(void **state)
{
	const struct extras extras = { 0 };

	(void)state;
	measure_extras(&extras);
	assert_string_equal(events, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_that_of_systemd_stub),
		cmocka_unit_test(nothing_is_measured_of_nothing),
	};

	return run_named_tests(tests);
}
