// SPDX-License-Identifier: BSD-2-Clause
/* The parts of EFI_HTTP_PROTOCOL (UEFI specification 29.6) that are used here. GNU-EFI does not have it. */
#pragma once

#include <efi.h>

#define HTTP_SERVICE_BINDING_GUID                                                                                      \
	{                                                                                                              \
		0xbdc8e6af, 0xd9bc, 0x4379,                                                                            \
		{                                                                                                      \
			0xa7, 0x2a, 0xe0, 0xc4, 0xe7, 0x5d, 0xae, 0x1c                                                 \
		}                                                                                                      \
	}

#define HTTP_PROTOCOL_GUID                                                                                             \
	{                                                                                                              \
		0x7a59b29b, 0x910b, 0x4171,                                                                            \
		{                                                                                                      \
			0x82, 0x42, 0xa8, 0x5a, 0x0d, 0xf2, 0x5b, 0x5b                                                 \
		}                                                                                                      \
	}

/* Errors of the network (appendix D), beyond those that efi/services/firmware.c names. */
#define NETWORK_STATUS(code) (EFI_ERROR_MASK | (code))
#define NETWORK_UNREACHABLE NETWORK_STATUS(100)
#define NETWORK_HOST_UNREACHABLE NETWORK_STATUS(101)
#define NETWORK_PROTOCOL_UNREACHABLE NETWORK_STATUS(102)
#define NETWORK_PORT_UNREACHABLE NETWORK_STATUS(103)
#define NETWORK_CONNECTION_FIN NETWORK_STATUS(104)
#define NETWORK_CONNECTION_RESET NETWORK_STATUS(105)
#define NETWORK_CONNECTION_REFUSED NETWORK_STATUS(106)
#define NETWORK_HTTP_ERROR NETWORK_STATUS(35)

enum http_version {
	HTTP_VERSION_10,
	HTTP_VERSION_11,
};

enum http_method {
	HTTP_GET = 0,
	HTTP_HEAD = 5,
};

struct http_access_point4 {
	BOOLEAN use_default_address;
	EFI_IPv4_ADDRESS local_address;
	EFI_IPv4_ADDRESS local_subnet;
	UINT16 local_port;
};

struct http_access_point6 {
	EFI_IPv6_ADDRESS local_address;
	UINT16 local_port;
};

struct http_config {
	enum http_version version;
	UINT32 timeout_msec;
	BOOLEAN is_ipv6;
	union {
		struct http_access_point4 *ip4;
		struct http_access_point6 *ip6;
	} access_point;
};

struct http_request {
	enum http_method method;
	CHAR16 *url;
};

struct http_response {
	UINT32 status_code; /* EFI_HTTP_STATUS_CODE: boot/http_answer.h has its numbers */
};

struct http_header {
	CHAR8 *name;
	CHAR8 *value;
};

struct http_message {
	union {
		struct http_request *request;
		struct http_response *response;
	} data;
	UINTN header_count;
	struct http_header *headers;
	UINTN body_length;
	void *body;
};

/* The driver owns it from the call until the event is signalled. */
struct http_token {
	EFI_EVENT event;
	EFI_STATUS status;
	struct http_message *message;
};

struct http_protocol {
	void *get_mode_data;
	EFI_STATUS(EFIAPI *configure)(struct http_protocol *http, struct http_config *config);
	EFI_STATUS(EFIAPI *request)(struct http_protocol *http, struct http_token *token);
	EFI_STATUS(EFIAPI *cancel)(struct http_protocol *http, struct http_token *token);
	EFI_STATUS(EFIAPI *response)(struct http_protocol *http, struct http_token *token);
	EFI_STATUS(EFIAPI *poll)(struct http_protocol *http);
};

_Static_assert(sizeof(struct http_access_point4) == 12, "EFI_HTTPv4_ACCESS_POINT");
_Static_assert(sizeof(struct http_access_point6) == 18, "EFI_HTTPv6_ACCESS_POINT");
_Static_assert(sizeof(struct http_config) == 24, "EFI_HTTP_CONFIG_DATA");
_Static_assert(sizeof(struct http_message) == 40, "EFI_HTTP_MESSAGE");
_Static_assert(sizeof(struct http_token) == 24, "EFI_HTTP_TOKEN");
