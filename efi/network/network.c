// SPDX-License-Identifier: BSD-2-Clause
/* Finds the server, and opens files there. */
#include "efi/network/network.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/network/http_files.h"
#include "efi/network/tftp.h"
#include "efi/services/firmware.h"

#define OWN_PATH_SIZE 256

/* The object behind a source_file's handle. */
struct network_file {
	union {
		struct http_file http;
		struct tftp_file tftp;
	};
};

static struct network *network_of(struct source *source)
{
	return (struct network *)source;
}

static EFI_DEVICE_PATH *device_path(EFI_HANDLE device)
{
	EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

	return firmware_protocol_on(device, &guid);
}

/* Prepares a copy of the URL, because the firmware may change the path. */
static enum kexec_status prepare_http(struct network *network)
{
	EFI_GUID guid = HTTP_SERVICE_BINDING_GUID;
	EFI_DEVICE_PATH *path = device_path(network->device);
	struct text url = network->nodes.url;
	enum kexec_status status;
	EFI_HANDLE handle;
	EFI_STATUS located;

	located = firmware_boot_services->LocateDevicePath(&guid, &path, &handle);
	if (!EFI_ERROR(located))
		located = firmware_boot_services->HandleProtocol(handle, &guid, (void **)&network->http);
	if (EFI_ERROR(located))
		return log_error(status_from_efi(located), "network: expected an HTTP driver of the firmware, found %s",
				 efi_status_name(located));
	if (url.length >= sizeof(network->url))
		return log_error(KEXEC_TOO_LARGE, "own URL: expected at most %zu bytes, found %zu",
				 sizeof(network->url) - 1, url.length);
	memcpy(network->url, url.start, url.length);
	url.start = network->url;
	network->nodes.url = url;
	status = network_base_of_url(url, &network->base);
	if (!status)
		log_info("network: files come from %.*s%.*s", TEXT_ARGS(network->base.origin),
			 TEXT_ARGS(network->base.folder));
	return status;
}

/* Finds the packet that named our image: the last one received that names a file. */
static bool find_server(const EFI_PXE_BASE_CODE_MODE *mode, struct boot_server *ret_server)
{
	const struct {
		bool is_there;
		const EFI_PXE_BASE_CODE_PACKET *packet;
	} packets[] = {
		{ mode->PxeReplyReceived, &mode->PxeReply },
		{ mode->ProxyOfferReceived, &mode->ProxyOffer },
		{ mode->DhcpAckReceived, &mode->DhcpAck },
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		const uint8_t *raw = packets[i].packet->Raw;
		size_t size = sizeof(packets[i].packet->Raw);

		if (packets[i].is_there && (mode->UsingIpv6 ? boot_server_of_dhcp6(raw, size, ret_server)
							    : boot_server_of_dhcp4(raw, size, ret_server)))
			return true;
	}
	return false;
}

static void print_server(const struct network *network)
{
	const uint8_t *address = network->server.address;
	char text[sizeof("[0000:0000:0000:0000:0000:0000:0000:0000]")];
	size_t length = 0;

	if (network->pxe->Mode->UsingIpv6) {
		for (size_t i = 0; i < sizeof(network->server.address); i += 2)
			length += format_text(text + length, sizeof(text) - length, "%c%x", i ? ':' : '[',
					      address[i] << 8 | address[i + 1]);
		format_text(text + length, sizeof(text) - length, "]");
	} else {
		format_text(text, sizeof(text), "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
	}
	log_info("network: files come from tftp://%s/%.*s", text, TEXT_ARGS(network->base.folder));
}

static enum kexec_status prepare_tftp(struct network *network)
{
	EFI_GUID guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;

	network->pxe = firmware_protocol_on(network->device, &guid);
	if (!network->pxe || !network->pxe->Mode || !network->pxe->Mode->Started)
		return log_error(KEXEC_IO,
				 "network: expected PXE as it was when it started this program, found it stopped");
	if (!find_server(network->pxe->Mode, &network->server))
		return log_error(KEXEC_NOT_FOUND,
				 "network: expected a DHCP packet with a server and a boot file, found none");
	network->base = network_base_of_file(text_of_string(network->server.file));
	print_server(network);
	return KEXEC_OK;
}

static enum kexec_status prepare(struct network *network)
{
	enum kexec_status status = KEXEC_OK;

	if (!network->is_ready)
		status = network->kind == NETWORK_HTTP ? prepare_http(network) : prepare_tftp(network);
	network->is_ready = !status;
	return status;
}

static enum kexec_status open_http(struct network *network, const char *name, struct http_file *file,
				   uint64_t *ret_size)
{
	enum kexec_status status = network_name(&network->base, name, file->url);

	file->binding = network->http;
	file->nodes = &network->nodes;
	file->name = name;
	if (!status)
		status = http_file_open(file);
	*ret_size = file->size;
	return status;
}

static enum kexec_status open_tftp(struct network *network, const char *name, struct tftp_file *file,
				   uint64_t *ret_size)
{
	enum kexec_status status = network_name(&network->base, name, file->path);

	file->pxe = network->pxe;
	file->device = network->device;
	file->name = name;
	memcpy(&file->server, network->server.address, sizeof(file->server));
	if (!status)
		status = tftp_file_open(file);
	*ret_size = file->size;
	return status;
}

static enum kexec_status open_file(struct source *source, const char *name, struct source_file *ret_file)
{
	struct source_file opened = { .source = source, .name = name };
	struct network *network = network_of(source);
	struct network_file *file;
	enum kexec_status status;

	status = prepare(network);
	if (!status)
		status = pool_alloc(sizeof(*file), name, &opened.handle);
	if (status)
		return status;
	file = opened.handle;
	memset(file, 0, sizeof(*file));
	if (network->kind == NETWORK_HTTP)
		status = open_http(network, name, &file->http, &opened.size);
	else
		status = open_tftp(network, name, &file->tftp, &opened.size);
	if (status)
		pool_free(file);
	else
		*ret_file = opened;
	return status;
}

static enum kexec_status read_file(struct source_file *opened, uint64_t offset, void *buffer, uint64_t *size,
				   const char **ret_why)
{
	struct network_file *file = opened->handle;

	if (network_of(opened->source)->kind == NETWORK_HTTP)
		return http_file_read(&file->http, offset, buffer, size, ret_why);
	return tftp_file_read(&file->tftp, offset, buffer, size, ret_why);
}

/* No read is larger than this source supports, so no failed read needs repair. */
static enum kexec_status reopen_file(struct source_file *file, uint64_t offset)
{
	(void)file;
	(void)offset;
	return KEXEC_OK;
}

static void close_file(struct source_file *opened)
{
	struct network_file *file = opened->handle;

	if (!file)
		return;
	if (network_of(opened->source)->kind == NETWORK_HTTP)
		http_file_close(&file->http);
	else
		tftp_file_close(&file->tftp);
	pool_free(file);
	opened->handle = NULL;
}

static enum network_kind find_kind(EFI_HANDLE device, struct network_nodes *ret_nodes)
{
	EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_GUID pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
	EFI_DEVICE_PATH *path;

	if (firmware_protocol_on(device, &volume_guid))
		return NETWORK_NONE;
	path = device_path(device);
	if (path)
		*ret_nodes = network_nodes_read(path, device_path_size(path));
	if (ret_nodes->url.length)
		return NETWORK_HTTP;
	return firmware_protocol_on(device, &pxe_guid) ? NETWORK_TFTP : NETWORK_NONE;
}

void network_start(struct network *network, EFI_HANDLE device)
{
	memset(network, 0, sizeof(*network));
	network->kind = find_kind(device, &network->nodes);
	network->device = device;
	network->source = (struct source){
		.open = open_file,
		.read = read_file,
		.reopen = reopen_file,
		.close = close_file,
		.reads_whole = network->kind == NETWORK_TFTP,
	};
}

bool network_is_origin(const struct network *network)
{
	return network->kind != NETWORK_NONE;
}

enum kexec_status network_entry_name(struct network *network, const EFI_DEVICE_PATH *own_nodes, char *ret_name,
				     size_t capacity)
{
	enum kexec_status status = prepare(network);
	struct network_base base = network->base;
	char own_path[OWN_PATH_SIZE];

	if (status)
		return status;
	if (own_nodes && image_path(own_nodes, device_path_size(own_nodes), own_path, sizeof(own_path))) {
		base.is_url = false;
		base.file = network_base_of_file(text_of_string(own_path)).file;
	}
	return network_conf(&base, ret_name, capacity);
}
