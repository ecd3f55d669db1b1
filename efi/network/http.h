// SPDX-License-Identifier: BSD-2-Clause
/*
 * One request to a web server and its answer, through EFI_HTTP_PROTOCOL (UEFI specification 29.6). Each request has its
 * own child instance of the firmware's driver, and so its own connection: after an error neither is used again. The
 * firmware resolves names and speaks TLS, as it is configured.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/http_answer.h"
#include "boot/network_name.h"
#include "boot/network_nodes.h"
#include "efi/network/http_protocol.h"

/* A zeroed one is closed. While it is open it must stay in place: the driver has pointers into it. */
struct http_exchange {
	EFI_SERVICE_BINDING *binding;
	EFI_HANDLE child;
	struct http_protocol *http;
	struct http_token token;
	struct http_message message;
	struct http_request request;
	struct http_response response;
	volatile bool is_done; /* the token's operation has ended */
	CHAR16 url[NETWORK_NAME_SIZE];
};

/* A request. */
struct http_question {
	enum http_method method;
	const char *url; /* in ASCII, with a path */
	uint64_t offset; /* the first byte wanted */
};

/*
 * Sends the request, through the network device that `binding` is on and with the address in `nodes`, and waits for
 * status and headers. Any HTTP status is an answer; the returned status tells whether there was one. The caller closes
 * the exchange with http_close in either case.
 */
EFI_STATUS http_ask(EFI_SERVICE_BINDING *binding, const struct network_nodes *nodes,
		    const struct http_question *question, struct http_exchange *exchange,
		    struct http_answer *ret_answer);

/* Reads at most *size bytes of the body. *size becomes the number read, 0 if the server has ended the body. */
EFI_STATUS http_read(struct http_exchange *exchange, void *buffer, UINTN *size);

/* Ends the connection and frees the child instance. Harmless on a closed exchange. */
void http_close(struct http_exchange *exchange);

/* The name of a status, including those of the network. */
const char *http_efi_status_name(EFI_STATUS status);
