// SPDX-License-Identifier: BSD-2-Clause
/*
 * What to boot: a list of parts, and the policy for all of them. Everything that can say what to boot becomes a plan,
 * checked as a whole, before the first part is opened: entry text and load options in boot/entry.c, what is sealed in
 * our own image in boot/sealed_image.c. After that nobody reads the text again; it is kept only to be measured.
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
 * Who vouches for a part. Only the place where the part was named decides this, never the text itself: whoever can
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

/* One thing to be loaded. A part may have either digest, or both, and must have each that is known. */
struct boot_part {
	const char *name; /* as it was written: the source knows it by this name, and so do messages */
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

/* A complete plan. It owns everything it points to. A zeroed plan is empty, and boot_plan_free does no harm to it. */
struct boot_plan {
	const char *said_by;	   /* where the plan comes from, for messages: a path, "load options", ... */
	struct text text;	   /* its words, as they are measured */
	bool has_lines;		   /* whoever wrote it sees the lines that it has here */
	bool is_file;		   /* said_by is the path of an entry file */
	struct boot_part kernel;   /* always there */
	struct boot_part *initrds; /* in the order in which they are loaded */
	size_t initrd_count;
	struct boot_part pcr_signature; /* signed values of register 11, for the initrd; ->name is NULL: none */
	struct boot_part pcr_key;	/* public, of who has signed them; likewise */
	const char *fallback;		/* entry file to try when this one is refused (boot/attempts.h); NULL: none */
	char volume[PARTUUID_SIZE]; /* on which the parts are (boot/partuuid.h); "": the one that our image came from */
	bool has_profile;	    /* the entry names a profile; without one it is 0 */
	uint32_t profile;	    /* of a unified image */
	struct text *unknown_keys;  /* in order; they were skipped */
	size_t unknown_key_count;
	/* What the load options hold without anybody having meant anything by it; NULL: nothing. */
	const char *skipped_options;
	struct text command_line; /* a NUL follows, which is not counted */
	bool options_are_added;	  /* of our own unified image: the command line is not in it, but in the load options */
	bool require_signature;	  /* the platform must vouch for the kernel, whoever else does */
	bool require_measurement; /* all that is measured must be in the registers */
	bool measured_as_image;	  /* kernel, command line and initrds are measured as those of a unified image are */
	bool overwrite_off;	  /* the firmware shall not overwrite memory at the next reset */
	bool network_trusted;	  /* parts without a digest may come over the network: boot/network_policy.h */
	bool dma_off;		  /* devices behind PCI bridges shall not write to memory once the firmware is left */
	bool dma_is_said;	  /* by a line of its own, which a word of the command line does not change */
	bool forensics;		  /* pages are recorded, so that the purgatory can name those that change */
	bool verbose;
	enum on_mismatch on_mismatch;
	void *memory;	     /* one piece of pool memory, for all of the above */
	void *initrd_memory; /* of the pool, for the list of initrds once it was moved to get longer; NULL: it was not
			      */
};

/*
 * Part number `index`, counted from 0: the kernel, the initrds in order, then the others that there are. NULL behind
 * the last.
 */
struct boot_part *boot_plan_part(struct boot_plan *plan, size_t index);

/* Puts an initrd in front of the others. It can be done once: there is room for one. */
void boot_plan_put_first(struct boot_plan *plan, const struct boot_part *initrd);

/* For messages that begin "%s%s: ", behind ->said_by. */
struct line_text {
	char text[16];
};

/* The line of ->text in which the byte at `place` stands, as ": line 3". Nothing where the text has no lines. */
struct line_text boot_plan_line(const struct boot_plan *plan, const char *place);

/*
 * Logs which keys and load options were skipped: for everybody if what they ask for is lost, else for users who asked
 * for verbose.
 */
void boot_plan_print_unknown_keys(const struct boot_plan *plan);

/* Our image came over the network: the parts of the plan that would lie beside it do so as well. */
void boot_plan_use_network(struct boot_plan *plan);

void boot_plan_free(struct boot_plan *plan);
