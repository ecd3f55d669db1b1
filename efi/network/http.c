// SPDX-License-Identifier: BSD-2-Clause
/* Talks to the firmware's HTTP driver. */
#include "efi/network/http.h"

#include "boot/text.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"

/* A server that is silent for this long has stalled. */
#define SILENCE_SECONDS 10

/* EFI_BOOT_SERVICES.SetTimer counts in 100 ns. */
#define TIMER_SECOND 10000000ull

/* The longest value of Range. */
#define RANGE_SIZE sizeof("bytes=18446744073709551615-")

enum {
	HEADER_HOST,
	HEADER_AGENT,
	HEADER_ACCEPT,
	HEADER_ENCODING,
	HEADER_RANGE, /* must be last: left out if the whole file is wanted */
	HEADER_COUNT,
};

const char *http_efi_status_name(EFI_STATUS status)
{
	switch (status) {
	case NETWORK_UNREACHABLE:
		return "NETWORK_UNREACHABLE";
	case NETWORK_HOST_UNREACHABLE:
		return "HOST_UNREACHABLE";
	case NETWORK_PROTOCOL_UNREACHABLE:
		return "PROTOCOL_UNREACHABLE";
	case NETWORK_PORT_UNREACHABLE:
		return "PORT_UNREACHABLE";
	case NETWORK_CONNECTION_FIN:
		return "CONNECTION_FIN";
	case NETWORK_CONNECTION_RESET:
		return "CONNECTION_RESET";
	case NETWORK_CONNECTION_REFUSED:
		return "CONNECTION_REFUSED";
	default:
		return efi_status_name(status);
	}
}

static void EFIAPI note_end(EFI_EVENT event, void *context)
{
	struct http_exchange *exchange = context;

	(void)event;
	exchange->is_done = true;
}

static EFI_STATUS configure(struct http_exchange *exchange, const struct network_nodes *nodes)
{
	static const uint8_t unknown[4];
	struct http_access_point4 ip4 = { 0 };
	struct http_access_point6 ip6 = { 0 };
	struct http_config config = {
		.version = HTTP_VERSION_11,
		.timeout_msec = SILENCE_SECONDS * 1000,
		.is_ipv6 = nodes->is_ipv6,
	};

	if (nodes->is_ipv6) {
		memcpy(&ip6.local_address, nodes->address, sizeof(ip6.local_address));
		config.access_point.ip6 = &ip6;
	} else {
		ip4.use_default_address = memcmp(nodes->address, unknown, sizeof(unknown)) == 0;
		memcpy(&ip4.local_address, nodes->address, sizeof(ip4.local_address));
		memcpy(&ip4.local_subnet, nodes->subnet, sizeof(ip4.local_subnet));
		config.access_point.ip4 = &ip4;
	}
	return exchange->http->configure(exchange->http, &config);
}

static EFI_STATUS open_exchange(EFI_SERVICE_BINDING *binding, const struct network_nodes *nodes,
				struct http_exchange *exchange)
{
	EFI_GUID guid = HTTP_PROTOCOL_GUID;
	EFI_STATUS status;

	memset(exchange, 0, sizeof(*exchange));
	status = binding->CreateChild(binding, &exchange->child);
	if (EFI_ERROR(status))
		return status;
	exchange->binding = binding;
	status = firmware_boot_services->HandleProtocol(exchange->child, &guid, (void **)&exchange->http);
	if (EFI_ERROR(status))
		return status;
	status = firmware_boot_services->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note_end, exchange,
						     &exchange->token.event);
	return EFI_ERROR(status) ? status : configure(exchange, nodes);
}

/* Runs the driver until the token is done, or the server has been silent for too long. */
static EFI_STATUS wait_for_end(struct http_exchange *exchange, EFI_EVENT timer)
{
	EFI_BOOT_SERVICES *services = firmware_boot_services;
	EFI_STATUS status = services->SetTimer(timer, TimerRelative, SILENCE_SECONDS * TIMER_SECOND);

	while (!EFI_ERROR(status) && !exchange->is_done) {
		exchange->http->poll(exchange->http);
		if (!exchange->is_done && services->CheckEvent(timer) == EFI_SUCCESS)
			status = EFI_TIMEOUT;
	}
	if (exchange->is_done)
		return exchange->token.status;
	exchange->http->cancel(exchange->http, &exchange->token);
	return status;
}

/* Gives the message to the driver, and waits until it is done. */
static EFI_STATUS complete(struct http_exchange *exchange,
			   EFI_STATUS(EFIAPI *call)(struct http_protocol *http, struct http_token *token))
{
	EFI_EVENT timer;
	EFI_STATUS status;

	exchange->is_done = false;
	exchange->token.status = EFI_NOT_READY;
	exchange->token.message = &exchange->message;
	status = firmware_boot_services->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &timer);
	if (EFI_ERROR(status))
		return status;
	firmware_feed_watchdog();
	status = call(exchange->http, &exchange->token);
	if (!EFI_ERROR(status))
		status = wait_for_end(exchange, timer);
	firmware_boot_services->CloseEvent(timer);
	return status;
}

/* The authority of a URL, without a user's name (RFC 9110, 4.2.4). */
static struct text host_of(const char *url)
{
	const char *start = url;
	const char *end;

	while (memcmp(start, "://", 3) != 0)
		start++;
	start += 3;
	for (end = start; *end && *end != '/'; end++) {
		if (*end == '@')
			start = end + 1;
	}
	return (struct text){ .start = start, .length = (size_t)(end - start) };
}

static EFI_STATUS send(struct http_exchange *exchange, const struct http_question *question)
{
	char host[NETWORK_NAME_SIZE];
	char range[RANGE_SIZE];
	struct http_header headers[HEADER_COUNT] = {
		[HEADER_HOST] = { (CHAR8 *)"Host", (CHAR8 *)host },
		[HEADER_AGENT] = { (CHAR8 *)"User-Agent", (CHAR8 *)"kexec-efi/" KEXEC_EFI_VERSION },
		[HEADER_ACCEPT] = { (CHAR8 *)"Accept", (CHAR8 *)"*/*" },
		[HEADER_ENCODING] = { (CHAR8 *)"Accept-Encoding", (CHAR8 *)"identity" },
		[HEADER_RANGE] = { (CHAR8 *)"Range", (CHAR8 *)range },
	};

	for (size_t i = 0; question->url[i]; i++)
		exchange->url[i] = (CHAR16)question->url[i];
	format_text(host, sizeof(host), "%.*s", TEXT_ARGS(host_of(question->url)));
	format_text(range, sizeof(range), "bytes=%lu-", question->offset);
	exchange->request = (struct http_request){ .method = question->method, .url = exchange->url };
	exchange->message = (struct http_message){
		.data.request = &exchange->request,
		.header_count = question->offset ? HEADER_COUNT : HEADER_RANGE,
		.headers = headers,
	};
	return complete(exchange, exchange->http->request);
}

static void free_pool(void *memory)
{
	if (memory)
		firmware_boot_services->FreePool(memory);
}

/* Takes the headers, which the driver has allocated, and frees them. */
static void take_headers(struct http_message *message, struct http_answer *answer)
{
	for (UINTN i = 0; i < message->header_count; i++) {
		struct http_header *header = &message->headers[i];

		if (header->name && header->value)
			http_answer_add_header(answer, (const char *)header->name, (const char *)header->value);
		free_pool(header->name);
		free_pool(header->value);
	}
	free_pool(message->headers);
}

/*
 * From status 300 on edk2 returns HTTP_ERROR with the status code. It may or may not have freed the headers then, so
 * this does not touch them.
 */
static EFI_STATUS receive(struct http_exchange *exchange, struct http_answer *ret_answer)
{
	EFI_STATUS status;

	exchange->response = (struct http_response){ 0 };
	exchange->message = (struct http_message){ .data.response = &exchange->response };
	status = complete(exchange, exchange->http->response);
	if (EFI_ERROR(status) && status != NETWORK_HTTP_ERROR)
		return status;
	*ret_answer = (struct http_answer){ .status = http_status_number(exchange->response.status_code) };
	if (!EFI_ERROR(status) && exchange->message.headers)
		take_headers(&exchange->message, ret_answer);
	return EFI_SUCCESS;
}

EFI_STATUS http_ask(EFI_SERVICE_BINDING *binding, const struct network_nodes *nodes,
		    const struct http_question *question, struct http_exchange *exchange,
		    struct http_answer *ret_answer)
{
	EFI_STATUS status = open_exchange(binding, nodes, exchange);

	if (!EFI_ERROR(status))
		status = send(exchange, question);
	if (!EFI_ERROR(status))
		status = receive(exchange, ret_answer);
	return status;
}

EFI_STATUS http_read(struct http_exchange *exchange, void *buffer, UINTN *size)
{
	UINTN wanted = *size;
	EFI_STATUS status;

	exchange->message = (struct http_message){ .body_length = wanted, .body = buffer };
	status = complete(exchange, exchange->http->response);
	if (!EFI_ERROR(status) && exchange->message.body_length > wanted)
		status = EFI_BAD_BUFFER_SIZE;
	if (!EFI_ERROR(status))
		*size = exchange->message.body_length;
	return status;
}

void http_close(struct http_exchange *exchange)
{
	if (exchange->child)
		exchange->binding->DestroyChild(exchange->binding, exchange->child);
	if (exchange->token.event)
		firmware_boot_services->CloseEvent(exchange->token.event);
	exchange->child = NULL;
	exchange->token.event = NULL;
}
