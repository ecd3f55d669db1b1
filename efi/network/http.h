// SPDX-License-Identifier: BSD-2-Clause
/*
 * One question to a web server and its answer, through EFI_HTTP_PROTOCOL (UEFI specification 29.6). Each has a child
 * instance of the firmware's driver, and so a connection, of its own: after an error nothing of it is used again. Names
 * are resolved, and TLS is spoken, by the firmware, with what it is configured for.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/http_answer.h"
#include "boot/network_name.h"
#include "boot/network_nodes.h"
#include "efi/network/http_protocol.h"

/* A zeroed one is closed. It must stay where it is while it is open: the driver has pointers into it. */
struct http_exchange {
	EFI_SERVICE_BINDING *binding;
	EFI_HANDLE child;
	struct http_protocol *http;
	struct http_token token;
	struct http_message message;
	struct http_request request;
	struct http_response response;
	volatile bool is_done; /* what the token is about has ended */
	CHAR16 url[NETWORK_NAME_SIZE];
};

/* What to ask for. */
struct http_question {
	enum http_method method;
	const char *url; /* in ASCII, with a path */
	uint64_t offset; /* the first byte wanted */
};

/*
 * Asks, by the network device that `binding` is on and the address in `nodes`, and waits for status and headers. Any
 * status of HTTP's is an answer; the status that is returned tells whether there was one. The caller closes the
 * exchange with http_close in either case.
 */
EFI_STATUS http_ask(EFI_SERVICE_BINDING *binding, const struct network_nodes *nodes,
		    const struct http_question *question, struct http_exchange *exchange,
		    struct http_answer *ret_answer);

/* Reads at most *size bytes of the body. *size becomes what was read, 0 where the server has ended it. */
EFI_STATUS http_read(struct http_exchange *exchange, void *buffer, UINTN *size);

/* Ends the connection and gives the child instance back. Does no harm to an exchange that is closed. */
void http_close(struct http_exchange *exchange);

/* The name of a status, with those of the network. */
const char *http_efi_status_name(EFI_STATUS status);
