// SPDX-License-Identifier: BSD-2-Clause
/*
 * A web server's description of a file (RFC 9110), and whether we can read the file: whole, unencoded, and the same
 * file at each request.
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
	bool is_chunked; /* there is a Transfer-Encoding of any kind */
	bool is_encoded; /* a Content-Encoding other than "identity" */
	bool is_broken;	 /* a length or range that is not a number, or two that differ */
	uint64_t etag;	 /* checksums of ETag and Last-Modified; 0 without one */
	uint64_t modified;
};

/* The HTTP number of UEFI's EFI_HTTP_STATUS_CODE `code` (29.6.7); 0 if UEFI does not have the code. */
unsigned http_status_number(unsigned code);

/* Adds a header to the answer. The case of its name does not matter. */
void http_answer_add_header(struct http_answer *answer, const char *name, const char *value);

/*
 * Checks the answer to a request for a file's size, HEAD or GET, and returns the size. `name` is the file's, for
 * messages.
 */
enum kexec_status http_answer_check_size(const char *name, const struct http_answer *answer, uint64_t *ret_size);

/*
 * Checks the answer to a request for a file's bytes from `offset` on. `first` is the answer about the same file, whose
 * size is `size`. With an offset the server must send the range: status 206.
 */
enum kexec_status http_answer_check_body(const char *name, const struct http_answer *answer,
					 const struct http_answer *first, uint64_t offset, uint64_t size);
