// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a web server says of a file before it sends it (RFC 9110), and whether that can be read: whole, as it is, and
 * the same file each time it is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/status.h"

/* One answer. A zeroed one has no header yet. */
struct http_answer {
	unsigned status; /* as HTTP counts: 200, 404 */
	bool has_length;
	uint64_t length; /* Content-Length, in bytes */
	bool has_range;
	uint64_t range_start; /* Content-Range: the first byte of the body, and the size of the whole file */
	uint64_t range_size;
	bool is_chunked; /* a Transfer-Encoding, whichever */
	bool is_encoded; /* a Content-Encoding other than "identity" */
	bool is_broken;	 /* a length or range that is no number, or two that differ */
	uint64_t etag;	 /* checksums of ETag and Last-Modified; 0 without one */
	uint64_t modified;
};

/* The number of the status that UEFI's EFI_HTTP_STATUS_CODE `code` stands for (29.6.7); 0 for one that it lacks. */
unsigned http_status_number(unsigned code);

/* Takes in a header. Names are compared without regard to case. */
void http_answer_add_header(struct http_answer *answer, const char *name, const char *value);

/*
 * Checks the answer to the question for a file's size, HEAD or GET, and gives that. `name` is the file's, for messages.
 */
enum kexec_status http_answer_check_size(const char *name, const struct http_answer *answer, uint64_t *ret_size);

/*
 * Checks the answer to the question for the bytes from `offset` on of the file that `first` was about, whose size is
 * `size`. With an offset the server must send the range: status 206.
 */
enum kexec_status http_answer_check_body(const char *name, const struct http_answer *answer,
					 const struct http_answer *first, uint64_t offset, uint64_t size);
