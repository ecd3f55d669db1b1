// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the bytes of a part come from: a volume (efi/source/volume.h), a section of an image
 * (boot/section_source.h), a server (efi/network/network.h). A name that a source does not have is an error, never a
 * reason to look somewhere else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/read_size.h"
#include "boot/status.h"

struct source;

/* Something that a source has opened. A zeroed one is closed. */
struct source_file {
	struct source *source;
	const char *name; /* for messages; the caller's, it must outlive this */
	uint64_t size;	  /* in bytes, as the source says: the file may turn out to be shorter or longer */
	void *handle;	  /* the source's own; NULL: closed */
};

/* The first member of each source's own structure. */
struct source {
	/* Opens `name` for reading from its first byte on. Logs why it cannot. The caller closes the file. */
	enum kexec_status (*open)(struct source *source, const char *name, struct source_file *ret_file);

	/*
	 * Reads the next *size bytes, at `offset`, which is where the last read ended. *size becomes what was read: 0
	 * at the end. Logs nothing, since the caller may try again: *ret_why is what the source had to say; NULL if it
	 * has said it.
	 */
	enum kexec_status (*read)(struct source_file *file, uint64_t offset, void *buffer, uint64_t *size,
				  const char **ret_why);

	/* Opens the file anew where its handle has failed, to be read on from `offset`. Logs why it cannot. */
	enum kexec_status (*reopen)(struct source_file *file, uint64_t offset);

	/* Does nothing to a file that is closed. */
	void (*close)(struct source_file *file);

	/* Reads of more than READ_SIZE_PIECE may be tried. Whoever tries clears this when one has failed. */
	bool bears_large_reads;

	/* It cannot read a piece without the rest: as much as is wanted is best asked for at once. */
	bool reads_whole;

	struct read_size read_size; /* what its reads have shown */
};
