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
	struct http_answer first; /* the server's answer when the file was opened */
	uint64_t size;
	unsigned retries; /* retries so far */
	struct http_exchange exchange;
	bool has_ended; /* the connection broke after the last retry */
	bool is_open;	/* the exchange delivers the bytes behind the last read */
	char url[NETWORK_NAME_SIZE];
};

/* Asks for the size of the file at file->url. The caller has set url, binding, nodes and name, and zeroed the rest. */
enum kexec_status http_file_open(struct http_file *file);

/*
 * As `read` of a source. If the connection breaks, this requests the rest by its range, with a few retries. The server
 * must then still have the same file.
 */
enum kexec_status http_file_read(struct http_file *file, uint64_t offset, void *buffer, uint64_t *size,
				 const char **ret_why);

void http_file_close(struct http_file *file);
