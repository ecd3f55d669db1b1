// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads a part from front to back, each byte once, straight to its place. The stream owns pieces, bounce buffer,
 * progress and retry. It hands each piece to a sink, and does not know what the sink does with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/source.h"
#include "boot/status.h"

/* Receives pieces. The first member of a sink's own structure. */
struct sink {
	/* [addr, addr + size) of physical memory has arrived. Pieces come in order, READ_SIZE_PIECE or less each. */
	void (*take)(struct sink *sink, uint64_t addr, uint64_t size);
};

/* A zeroed one is closed. */
struct stream {
	struct source_file file;
	bool bears_large_reads;	  /* the flag of the source when the file was opened */
	uint64_t done;		  /* bytes that have arrived */
	uint64_t start_usec;	  /* of the first read; 0: there was none */
	uint64_t next_shown_usec; /* when to show progress next */
};

/* Opens the part that `source` calls `name`. `name` must outlive the stream. The caller closes it with stream_close. */
enum kexec_status stream_open(struct source *source, const char *name, struct stream *ret_stream);

/* Closes the stream. Harmless on a closed one. */
void stream_close(struct stream *stream);

/*
 * Reads the next `size` bytes to the physical address `addr`, through a buffer below 4 GiB if that lies above. Fails if
 * the source reports an error or ends before. Each piece goes to `sink`, which may be NULL, as soon as it has arrived.
 * If a file takes longer than a second, progress is shown on the console four times a second.
 */
enum kexec_status stream_read(struct stream *stream, uint64_t addr, uint64_t size, struct sink *sink);

/* Fails if the part continues behind its stated size: then it was not read whole. */
enum kexec_status stream_expect_end(struct stream *stream);

/* Logs the speed of the part, and shows it if progress was shown. */
void stream_show_done(const struct stream *stream);
