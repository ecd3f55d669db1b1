// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the bytes of a part come from: a volume (efi/source/volume.h), a section of an image (boot/section_source.h), a
 * server (efi/network/network.h). If a source does not have a name, that is an error; there is no fallback to another.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/read_size.h"
#include "boot/status.h"

struct source;

/* An open file of a source. A zeroed one is closed. */
struct source_file {
	struct source *source;
	const char *name; /* for messages; the caller's; it must outlive this */
	uint64_t size;	  /* in bytes, according to the source: the file may turn out to be shorter or longer */
	void *handle;	  /* the source's own; NULL: closed */
};

/* The first member of each source's own structure. */
struct source {
	/* Opens `name` for reading from its first byte on. Logs a failure. The caller closes the file. */
	enum kexec_status (*open)(struct source *source, const char *name, struct source_file *ret_file);

	/*
	 * Reads the next *size bytes, at `offset`, which is the end of the last read. *size becomes the number read, 0
	 * at the end. Logs no failure of its own, since the caller may retry: *ret_why describes it, or is NULL if the
	 * source has logged it.
	 */
	enum kexec_status (*read)(struct source_file *file, uint64_t offset, void *buffer, uint64_t *size,
				  const char **ret_why);

	/* Opens the file again after its handle has failed, to read on from `offset`. Logs a failure. */
	enum kexec_status (*reopen)(struct source_file *file, uint64_t offset);

	/* A no-op for a closed file. */
	void (*close)(struct source_file *file);

	/* Whether to try reads of more than READ_SIZE_PIECE. The caller clears this if one has failed. */
	bool bears_large_reads;

	/* The source can only read a file whole, so it is best to read everything at once. */
	bool reads_whole;

	struct read_size read_size; /* learned from the reads so far */
};
