// SPDX-License-Identifier: BSD-2-Clause
/*
 * A note for the next start, left when this one stopped after the firmware was gone. It is a non-volatile variable of
 * ours, written through the firmware's runtime services, which remain after ExitBootServices (UEFI specification 8.2).
 *
 * Any operating system can write it. Readers must use it only for decisions that do no harm if it is forged.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/exception.h"
#include "common/page_record.h"
#include "common/purgatory_abi.h"

/* L"KexecMismatch", of the vendor in common/vendor.h. The name is older than the other kinds of note. */
#define STOP_NOTE_NAME                                                                                                 \
	{                                                                                                              \
		'K', 'e', 'x', 'e', 'c', 'M', 'i', 's', 'm', 'a', 't', 'c', 'h', 0                                     \
	}

enum {
	STOP_NOTE_NON_VOLATILE = 1,
	STOP_NOTE_BOOT_SERVICE_ACCESS = 2,
	STOP_NOTE_RUNTIME_ACCESS = 4,

	STOP_NOTE_ATTRIBUTES = STOP_NOTE_NON_VOLATILE | STOP_NOTE_BOOT_SERVICE_ACCESS | STOP_NOTE_RUNTIME_ACCESS,
};

enum stop_kind {
	STOP_MISMATCH = 1,  /* the purgatory found a digest that differs */
	STOP_EXCEPTION = 2, /* the CPU raised an exception between firmware and kernel */
	STOP_NMI = 3,	    /* an NMI came between firmware and kernel; the boot went on */
	STOP_EXIT = 4,	    /* the firmware refused to end its boot services until the loader gave up */
};

/* A page that differs from the loader's record of it (common/page_record.h). */
struct page_finding {
	uint64_t address; /* physical */
	uint32_t change;  /* enum page_change */
	uint32_t bit;	  /* of PAGE_ONE_BIT */
};

#define PAGE_FINDINGS_MAX 4

/* `differing` is 0 if the loader kept no record. */
struct page_findings {
	uint64_t differing;
	struct page_finding first[PAGE_FINDINGS_MAX];
};

struct stop_note {
	uint32_t kind;		       /* enum stop_kind */
	uint32_t on_mismatch;	       /* enum on_mismatch: how the purgatory ended */
	char region[REGION_NAME_SIZE]; /* the region that changed, or was being verified; may be empty */
	union {
		struct {
			uint8_t expected[SHA256_DIGEST_SIZE];
			uint8_t found[SHA256_DIGEST_SIZE];
			struct page_findings pages;
		} digests;
		struct exception exception;
		struct {
			uint64_t attempts;
			uint64_t status; /* EFI_STATUS of the last attempt */
			uint64_t map_size;
			uint64_t map_capacity;
		} exit;
	};
	struct stopped_entries entries;
};

/* A note without pages or entries ends before them, as in earlier versions. */
#define STOP_NOTE_SIZE_MIN offsetof(struct stop_note, digests.pages)

/* How many bytes of a note are stored. */
static inline size_t stop_note_size(const struct stop_note *note)
{
	if (note->entries.list[0])
		return sizeof(*note);
	return note->kind == STOP_MISMATCH && note->digests.pages.differing ? offsetof(struct stop_note, entries)
									    : STOP_NOTE_SIZE_MIN;
}

_Static_assert(sizeof(struct stop_note) == 8 + 16 + 64 + 72 + 64, "no padding: it is stored");
_Static_assert(offsetof(struct stop_note, entries) == 8 + 16 + 64 + 72, "as it was");
_Static_assert(STOP_NOTE_SIZE_MIN == 8 + 16 + 64, "as it was");
_Static_assert(sizeof(struct exception) <= 64, "it must fit in the place of the digests");
