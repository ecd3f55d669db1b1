// SPDX-License-Identifier: BSD-2-Clause
/*
 * The forms of events: the bytes that are hashed, and the text in the log. They are those of systemd-stub and of the
 * kernel's EFI stub, so that tools for their logs understand ours (systemd 262, src/boot/measure.c; Linux,
 * drivers/firmware/efi/libstub/efi-stub-helper.c, efi_measure_tagged_event).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

enum {
	PCR_UNIFIED_IMAGE = 11, /* systemd.io/TPM2_PCR_MEASUREMENTS */
	PCR_CONFIGURATION = 12, /* the same page */
};

/* An initrd that is added to a unified image: systemd 262, src/fundamental/tpm2-pcr.h, INITRD_ADDON_EVENT_TAG_ID. */
#define EVENT_ADDED_INITRD_TAG 0x49dffe0fu

/* Groups of events. A variable for each tells systemd if it is complete (systemd.io/TPM2_PCR_MEASUREMENTS). */
enum event_group {
	EVENTS_OF_NOBODY,
	EVENTS_OF_IMAGE,      /* the sections of a unified image */
	EVENTS_OF_PARAMETERS, /* additions to the image, and choices from it: profile, options, credentials, addons */
	EVENTS_OF_SYSEXTS,
	EVENTS_OF_CONFEXTS,
	EVENT_GROUPS,
};

/* Bytes in memory that are measured where they lie. */
struct event_subject {
	enum event_group group;
	uint32_t pcr;
	const char *what;  /* for messages */
	const void *bytes; /* NULL: there was no memory for them, so the measurement fails */
	uint64_t size;
};

/* Begins a start's measurements: no group and no register has an event yet. */
void events_start(void);

/* Begins the measurements of another entry in the same start. A group that lacks an event stays incomplete. */
void events_start_again(void);

/* Whether a group has events, and all of them are in the registers. */
bool events_are_complete(enum event_group group);

/* Whether this entry's boot was to measure something into the register, since events_start or events_start_again. */
bool events_are_in(uint32_t pcr);

/* EV_IPL, whose text in the log is `description` in UTF-16 with its NUL: ASCII, at most 63 characters. */
void event_described(const struct event_subject *subject, const char *description);

/* EV_EVENT_TAG with `id`, and with `size` bytes of data in the log. Bytes beyond EVENT_TAG_DATA_MAX are cut off. */
#define EVENT_TAG_DATA_MAX 520u
void event_tagged(const struct event_subject *subject, uint32_t id, const void *data, uint32_t size);

/*
 * EV_IPL of a text, which is hashed and logged in UTF-16 with its NUL. A text that is not UTF-8 cannot be converted. It
 * is measured as it is, with the NUL that follows it. `subject` has no bytes.
 */
void event_text(const struct event_subject *subject, struct text text);

/* The same text as EV_EVENT_TAG with `id`; `data` as in event_tagged. */
void event_tagged_text(const struct event_subject *subject, struct text text, uint32_t id, const void *data,
		       uint32_t size);

/* EV_EVENT_TAG with `id` and a file's name in UTF-16 with its NUL. A name that cannot be converted is left out. */
void event_tagged_name(const struct event_subject *subject, uint32_t id, const char *name);

/* Options for the kernel that are not in a unified image, in register 12, as event_text. */
void event_options(enum event_group group, const char *what, struct text options);
