// SPDX-License-Identifier: BSD-2-Clause
/*
 * What to boot: an entry in the syntax of the Boot Loader Specification, Type #1 (uapi-group.org/specifications/specs/
 * boot_loader_specification), with keys of our own for digests and policy. The same text can stand in a file, in a
 * section of the image, or come from load options.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/status.h"
#include "boot/text.h"
#include "common/purgatory_abi.h"

/* No entry is longer than this. */
#define ENTRY_SIZE_MAX (64u << 10)

enum entry_key {
	ENTRY_LINUX,
	ENTRY_INITRD,	    /* repeatable, in order */
	ENTRY_OPTIONS,	    /* repeatable, joined by a space */
	ENTRY_SHA256,	    /* repeatable: HEX PATH */
	ENTRY_SIGNATURE,    /* require */
	ENTRY_ON_MISMATCH,  /* halt or reset */
	ENTRY_DMA,	    /* on or off */
	ENTRY_OVERWRITE,    /* on or off */
	ENTRY_VERBOSE,	    /* yes or no */
	ENTRY_ARCHITECTURE, /* x64 */
	ENTRY_INFORMATION,  /* title, version, machine-id, sort-key: for menus, not for us */
};

/* A checked entry. The text stays the caller's and must outlive it. */
struct entry {
	const char *source; /* where the text stands, for messages */
	struct text text;
	struct text linux_path;
	bool sealed; /* set by whoever found it in our own image, with every file: its signature covers them */
	bool require_signature;
	bool overwrite_off; /* the firmware shall not overwrite memory at the next reset */
	bool verbose;
	bool dma_off; /* no device behind a PCI bridge shall write to memory once the firmware is left */
	enum on_mismatch on_mismatch;
};

/*
 * Checks the whole text: one `linux`, known values, well-formed digests, paths where they are due. Unknown keys are
 * skipped. A digest must be for a file that the entry loads, and two for one file must agree. `source` must outlive the
 * entry.
 */
enum kexec_status entry_parse(const char *source, struct text text, struct entry *ret_entry);

/* Refuses an entry that leaves a file without a digest: in a sealed image that file would not be vouched for. */
enum kexec_status entry_check_sealed(const struct entry *entry);

/* Says which keys were skipped, to those who asked for verbose. */
void entry_print_unknown_keys(const struct entry *entry);

/* Steps through the values of a repeatable key: *rest is entry->text at first. Returns false after the last. */
bool entry_next(struct text *rest, enum entry_key key, struct text *ret_value);

/* Bytes of the kernel command line, without a NUL: all options, joined by a space. */
size_t entry_command_line_size(const struct entry *entry);

/* Writes the command line and a NUL, entry_command_line_size() + 1 bytes. */
void entry_command_line(const struct entry *entry, char *ret_command_line);

/* Finds the digest that the file `path` must have. Returns false if the entry names none. */
bool entry_digest(const struct entry *entry, struct text path, uint8_t ret_digest[SHA256_DIGEST_SIZE]);
