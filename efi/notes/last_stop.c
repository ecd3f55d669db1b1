// SPDX-License-Identifier: BSD-2-Clause
/* Reads the note, and decides by it what this start does. */
#include "efi/notes/last_stop.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/format.h"
#include "common/sha256.h"
#include "common/stop_note.h"
#include "common/string.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"

/* *ret_deleted: the note will not be read again. Returns false for a variable that no loader or purgatory writes. */
static bool read_and_delete(struct stop_note *ret_note, bool *ret_deleted)
{
	static const uint16_t name[] = STOP_NOTE_NAME;
	const struct variable variable = {
		.name = name,
		.vendor = KEXEC_VENDOR_GUID,
		.required = STOP_NOTE_ATTRIBUTES,
		.size_min = STOP_NOTE_SIZE_MIN,
		.size_max = sizeof(*ret_note),
	};
	struct variable_reading reading;
	enum variable_state state = variable_read(&variable, ret_note, &reading);

	if (state == VARIABLE_ABSENT)
		return false;
	/* Delete it even if it is invalid, so that it is read only once. */
	*ret_deleted = !EFI_ERROR(variable_delete(&variable));
	return state == VARIABLE_FOUND;
}

/* The region's name, up to the first character that no name has. */
static struct text region_of(const struct stop_note *note)
{
	struct text name = { .start = note->region };

	while (name.length < sizeof(note->region) &&
	       ((note->region[name.length] >= 'a' && note->region[name.length] <= 'z') ||
		(note->region[name.length] >= '0' && note->region[name.length] <= '9') ||
		note->region[name.length] == '_'))
		name.length++;
	return name;
}

/* Prints the kernel's parameter that spares the page. The log hides hexadecimal addresses, but not this decimal one. */
static void print_page(const struct page_finding *page)
{
	static const char *const changes[] = {
		[PAGE_ONE_BIT] = "one bit differed",
		[PAGE_ZEROED] = "it was all zeros",
		[PAGE_OTHER] = "more than one bit differed",
	};
	const char *change = page->change < ARRAY_SIZE(changes) ? changes[page->change] : NULL;

	if (change)
		log_warning("a page that had changed: %s; memmap=4K$%luK spares it", change, page->address / 1024);
}

static void print_pages(const struct page_findings *pages)
{
	if (!pages->differing)
		return;
	log_warning("pages that had changed: %lu", pages->differing);
	for (size_t i = 0; i < PAGE_FINDINGS_MAX && i < pages->differing; i++)
		print_page(&pages->first[i]);
}

static void print_mismatch(const struct stop_note *note)
{
	struct text region = region_of(note);
	char expected[DIGEST_TEXT_SIZE];
	char found[DIGEST_TEXT_SIZE];

	format_digest(expected, note->digests.expected);
	format_digest(found, note->digests.found);
	log_warning("the purgatory stopped the last start: digest mismatch in %.*s: expected %s, found %s",
		    (int)region.length, region.start, expected, found);
	print_pages(&note->digests.pages);
}

static void print_exception(const struct stop_note *note, const char *what_happened)
{
	struct text region = region_of(note);
	char exception[160];

	exception_format(&note->exception, exception, sizeof(exception));
	if (region.length)
		log_warning("%s: %s, while verifying %.*s", what_happened, exception, (int)region.length, region.start);
	else
		log_warning("%s: %s", what_happened, exception);
}

static void print_exit(const struct stop_note *note)
{
	log_warning("the firmware stopped the last start: ExitBootServices: refused %lu times: %s, "
		    "memory map of 0x%lx bytes, room for 0x%lx",
		    note->exit.attempts, efi_status_name(note->exit.status), note->exit.map_size,
		    note->exit.map_capacity);
}

/* Returns whether the boot was stopped. */
static bool print(const struct stop_note *note)
{
	switch (note->kind) {
	case STOP_MISMATCH:
		print_mismatch(note);
		return true;
	case STOP_EXCEPTION:
		print_exception(note, "an exception stopped the last start");
		return true;
	case STOP_EXIT:
		print_exit(note);
		return true;
	case STOP_NMI:
		print_exception(note, "the last start went on after an exception");
		return false;
	default:
		return false;
	}
}

/* Describes the note in a few words, for the message that an entry is skipped. */
static void describe(const struct stop_note *note, char ret_what[LAST_STOP_WHAT_SIZE])
{
	struct text region = region_of(note);

	switch (note->kind) {
	case STOP_MISMATCH:
		format_text(ret_what, LAST_STOP_WHAT_SIZE, "digest mismatch in %.*s", (int)region.length, region.start);
		break;
	case STOP_EXCEPTION:
		format_text(ret_what, LAST_STOP_WHAT_SIZE, "an exception");
		break;
	default:
		format_text(ret_what, LAST_STOP_WHAT_SIZE, "ExitBootServices refused");
		break;
	}
}

struct last_stop last_stop_report(void)
{
	struct last_stop last = { 0 };
	struct stop_note note;
	bool deleted;

	if (!read_and_delete(&note, &deleted))
		return last;
	/* A note that cannot be deleted must not keep the machine from booting for ever. */
	last.was_stopped = print(&note) && deleted;
	if (!deleted)
		log_warning("the firmware does not delete the note of it; going on");
	last.was_reset = last.was_stopped && note.on_mismatch == ON_MISMATCH_RESET;
	last.at_the_exit = note.kind == STOP_EXIT;
	last.entries = note.entries;
	describe(&note, last.what);
	return last;
}

/* Identifies an entry by its text: an entry that was corrected since is another one. */
static uint64_t identify(const struct boot_plan *plan)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	uint64_t beginning;

	sha256_of(plan->text.start, plan->text.length, digest);
	memcpy(&beginning, digest, sizeof(beginning));
	return beginning ? beginning : 1;
}

static bool holds(const struct stopped_entries *entries, uint64_t id)
{
	for (size_t i = 0; i < STOPPED_ENTRIES_MAX; i++) {
		if (entries->list[i] == id)
			return true;
	}
	return false;
}

/* Drops the entry if the list is full: the next start merely tries it again. */
static void add(struct stopped_entries *entries, uint64_t id)
{
	size_t i = 0;

	while (i < STOPPED_ENTRIES_MAX && entries->list[i])
		i++;
	if (i < STOPPED_ENTRIES_MAX)
		entries->list[i] = id;
}

enum kexec_status last_stop_check(struct last_stop *last, const struct boot_plan *plan,
				  const struct started_entry *entry)
{
	uint64_t id = identify(plan);

	if (!last->was_stopped || !(last->entries.list[0] ? holds(&last->entries, id) : entry->is_first))
		return KEXEC_OK;
	if (entry->has_next) {
		add(&last->passed, id);
		return log_error(KEXEC_MISMATCH, "%s: not tried: its last start was stopped: %s", plan->said_by,
				 last->what);
	}
	if (!last->was_reset || plan->on_mismatch != ON_MISMATCH_RESET)
		return KEXEC_OK;
	return log_error(KEXEC_MISMATCH, "not trying again at once (on-mismatch reset); the next start will");
}

struct stop_policy last_stop_policy(const struct last_stop *last, const struct boot_plan *plan,
				    const struct started_entry *entry)
{
	struct stop_policy policy = {
		.on_mismatch = plan->on_mismatch,
		.at_the_exit = last->at_the_exit ? plan->on_mismatch : ON_MISMATCH_RESET,
	};

	if (entry->is_first && !entry->has_next)
		return policy;
	policy.entries = last->passed;
	add(&policy.entries, identify(plan));
	return policy;
}

/* EFI_RT_PROPERTIES_TABLE (UEFI specification 4.6): which runtime services there are after ExitBootServices. */
struct runtime_properties {
	uint16_t version;
	uint16_t length;
	uint32_t supported;
};

#define RUNTIME_PROPERTIES_GUID                                                                                        \
	{                                                                                                              \
		0xeb66918a, 0x7eef, 0x402a,                                                                            \
		{                                                                                                      \
			0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9                                                 \
		}                                                                                                      \
	}
#define RUNTIME_SET_VARIABLE 0x40u

/* Firmware without the table has all services. */
static bool takes_notes_at_runtime(void)
{
	const EFI_GUID guid = RUNTIME_PROPERTIES_GUID;
	const struct runtime_properties *properties = firmware_config_table(&guid);

	return !properties || properties->length < sizeof(*properties) || properties->supported & RUNTIME_SET_VARIABLE;
}

enum kexec_status last_stop_set_policy(const struct purgatory *purgatory, const struct stop_policy *policy)
{
	const struct purgatory_policy told = {
		.runtime_services = (uintptr_t)firmware_runtime_services,
		.on_mismatch = policy->on_mismatch,
		.entries = policy->entries,
	};

	if (policy->on_mismatch == ON_MISMATCH_RESET && !takes_notes_at_runtime())
		log_warning("on-mismatch reset: this firmware stores no note after ExitBootServices; the machine will "
			    "halt instead");
	return purgatory_set(purgatory, purgatory_policy, &told);
}
