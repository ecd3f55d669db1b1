// SPDX-License-Identifier: BSD-2-Clause
/* Files on a web server. */
#pragma once

#include <stdint.h>

#include "boot/network_name.h"
#include "boot/status.h"
#include "efi/network/http.h"

struct http_file {
	EFI_SERVICE_BINDING *binding;
	const struct network_nodes *nodes;
	const char *name;	  /* for messages; the caller's */
	struct http_answer first; /* what the server said of it when it was opened */
	uint64_t size;
	unsigned retries; /* how often it has been asked for again */
	struct http_exchange exchange;
	bool has_ended; /* too early, once too often */
	bool is_open;	/* the exchange brings the bytes from where the last read ended */
	char url[NETWORK_NAME_SIZE];
};

/* Asks for the size of the file at file->url, whose binding, nodes and name are set, and the rest zeroed. */
enum kexec_status http_file_open(struct http_file *file);

/*
 * As `read` of a source. Where the connection breaks, the rest is asked for by its range, a few times: then the server
 * must still have the same file.
 */
enum kexec_status http_file_read(struct http_file *file, uint64_t offset, void *buffer, uint64_t *size,
				 const char **ret_why);

void http_file_close(struct http_file *file);
