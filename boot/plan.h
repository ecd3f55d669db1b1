// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan says what to boot: a list of parts, and the policy for all of them. Entry text and load options become plans
 * in boot/entry.c, contents sealed in our own image in boot/sealed_image.c. A plan is checked as a whole before the
 * first part is opened. After that nobody reads the text again; it is kept only to be measured.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/partuuid.h"
#include "boot/text.h"
#include "common/purgatory_abi.h"

/* Where a part's bytes come from. efi/source/sources.c has the source for each. */
enum part_source {
	PART_ON_VOLUME,	  /* a file on the volume that the plan names, or that our image came from */
	PART_IN_IMAGE,	  /* a section of our image */
	PART_ON_NETWORK,  /* a file on the server that our image came from */
	PART_FROM_LOADER, /* the initrd that the program before us has registered */
};

/*
 * Who vouches for a part. Only the place where the part was named decides this, never the text: an attacker who can
 * write an entry can write anything into it.
 */
enum trust {
	TRUST_NOBODY,	/* anybody could have put it there, with a matching digest or without one */
	TRUST_PLATFORM, /* the platform, by the part's own signature: it must be asked before the part runs */
	TRUST_DIGEST,	/* our image holds the part's digest, and the image's signature covers that */
	TRUST_IMAGE,	/* our image holds the part itself */
};

/* A digest that a part's bytes must have, if it is known. */
struct part_digest {
	bool is_known;
	uint8_t bytes[SHA256_DIGEST_SIZE];
};

/* One thing to be loaded. Either digest may be known, or both. The part's bytes must match each known digest. */
struct boot_part {
	const char *name; /* as it was written, for the part's source and for messages */
	enum part_source source;
	enum trust trust;
	/*
	 * As Linux's fs-verity has it (Documentation/filesystems/fsverity.rst, "File digest computation"), with
	 * SHA-256, blocks of 4096 bytes and no salt, which are the defaults of the program fsverity.
	 */
	struct part_digest fsverity;
	struct part_digest sha256; /* of all its bytes in a row */
};

bool boot_part_has_digest(const struct boot_part *part);

/*
 * Whether our own image vouches for the part: for its bytes, or for the digest that its bytes are compared with. For
 * any other part the platform must be asked.
 */
bool boot_part_is_sealed(const struct boot_part *part);

/* A complete plan. It owns everything it points to. A zeroed plan is empty, and boot_plan_free is harmless on it. */
struct boot_plan {
	const char *said_by;	   /* where the plan comes from, for messages: a path, "load options", ... */
	struct text text;	   /* its source text, as it is measured */
	bool has_lines;		   /* the lines of `text` are those that its author sees, so messages number them */
	bool is_file;		   /* said_by is the path of an entry file */
	struct boot_part kernel;   /* always there */
	struct boot_part *initrds; /* in the order in which they are loaded */
	size_t initrd_count;
	struct boot_part pcr_signature; /* signed values of register 11, for the initrd; ->name is NULL: none */
	struct boot_part pcr_key;	/* public key of their signer; likewise */
	const char *fallback;		/* entry file to try when this one is refused (boot/attempts.h); NULL: none */
	char volume[PARTUUID_SIZE]; /* on which the parts are (boot/partuuid.h); "": the one that our image came from */
	bool has_profile;	    /* the entry names a profile; without one it is 0 */
	uint32_t profile;	    /* of a unified image */
	struct text *unknown_keys;  /* in order; they were skipped */
	size_t unknown_key_count;
	/* Content of the load options that was ignored without a warning (boot/loadoptions.h); NULL: none. */
	const char *skipped_options;
	struct text command_line; /* a NUL follows, which is not counted */
	bool options_are_added;	  /* the command line is from the load options: our own unified image has none */
	bool require_signature;	  /* the platform must vouch for the kernel, even if our image does */
	bool require_measurement; /* refuse to boot unless everything that is measured reaches its register */
	bool measured_as_image;	  /* kernel, command line and initrds are measured like sections of a unified image */
	bool overwrite_off;	  /* do not ask the firmware to overwrite memory at the next reset */
	bool network_trusted;	  /* parts without a digest may come over the network: boot/network_policy.h */
	bool dma_off;		  /* keep devices behind PCI bridges from writing to memory once the firmware is left */
	bool dma_is_said;	  /* a `dma` line sets dma_off, so a word of the command line does not change it */
	bool forensics;		  /* pages are recorded, so that the purgatory can name those that change */
	bool verbose;
	enum on_mismatch on_mismatch;
	void *memory;	     /* one piece of pool memory, for all of the above */
	void *initrd_memory; /* pool memory for a longer list of initrds (plan_builder_resume); NULL: none */
};

/*
 * Part number `index`, counted from 0: the kernel, the initrds in order, then pcr_signature and pcr_key, if they exist.
 * NULL behind the last.
 */
struct boot_part *boot_plan_part(struct boot_plan *plan, size_t index);

/* Puts an initrd in front of the others. It can be done once: there is room for one. */
void boot_plan_put_first(struct boot_plan *plan, const struct boot_part *initrd);

/* For messages that begin "%s%s: ", behind ->said_by. */
struct line_text {
	char text[16];
};

/* The number of the line of ->text that has the byte at `place`, as ": line 3". Empty unless the plan has has_lines. */
struct line_text boot_plan_line(const struct boot_plan *plan, const char *place);

/*
 * Logs which keys and load options were skipped: with a warning if their request is lost, otherwise only with verbose.
 */
void boot_plan_print_unknown_keys(const struct boot_plan *plan);

/* For an image that came over the network: all parts that would lie beside it come over the network as well. */
void boot_plan_use_network(struct boot_plan *plan);

void boot_plan_free(struct boot_plan *plan);
