// SPDX-License-Identifier: BSD-2-Clause
#include "efi/plan/own_options.h"

#include "boot/imagepath.h"
#include "boot/pool.h"
#include "efi/services/firmware.h"

/* A longer path of our image counts as unknown. */
#define OWN_PATH_SIZE 512

/* A UEFI shell puts EFI_SHELL_PARAMETERS_PROTOCOL on each image that it starts (UEFI Shell specification 2.3). */
#define SHELL_PARAMETERS_GUID                                                                                          \
	{                                                                                                              \
		0x752f3136, 0x4e16, 0x4fdc,                                                                            \
		{                                                                                                      \
			0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca                                                 \
		}                                                                                                      \
	}

bool own_volume_is_qemu(const EFI_LOADED_IMAGE *image)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	const void *nodes = firmware_protocol_on(image->DeviceHandle, &guid);

	return nodes && image_is_on_qemu_volume(nodes, device_path_size(nodes));
}

static bool is_from_shell(void)
{
	EFI_GUID guid = SHELL_PARAMETERS_GUID;
	void *parameters;

	return !EFI_ERROR(firmware_boot_services->HandleProtocol(firmware_image, &guid, &parameters));
}

/* Finds the sender of the load options. Writes our path to `own_path`. */
static struct load_options_sender find_sender(const EFI_LOADED_IMAGE *image, char own_path[OWN_PATH_SIZE])
{
	struct load_options_sender sender = { .is_shell = is_from_shell(), .is_qemu = own_volume_is_qemu(image) };
	const void *nodes = image->FilePath;

	if (nodes && image_path(nodes, device_path_size(nodes), own_path, OWN_PATH_SIZE))
		sender.own_path = text_of_string(own_path);
	return sender;
}

/* The input for parsing the load options: their size in bytes, a buffer, and their sender. */
struct preparation {
	size_t size;
	void *buffer;
	struct load_options_sender sender;
	char own_path[OWN_PATH_SIZE];
};

/* Without load options ->size is 0, and there is no buffer. */
static enum kexec_status prepare(const EFI_LOADED_IMAGE *image, struct preparation *ret)
{
	enum kexec_status status;

	ret->size = image->LoadOptions ? image->LoadOptionsSize : 0;
	ret->buffer = NULL;
	if (ret->size == 0)
		return KEXEC_OK;
	status = pool_alloc(LOAD_OPTIONS_BUFFER_SIZE(ret->size > LOAD_OPTIONS_SIZE_MAX ? 0 : ret->size), "load options",
			    &ret->buffer);
	if (!status)
		ret->sender = find_sender(image, ret->own_path);
	return status;
}

enum kexec_status own_options_read(const EFI_LOADED_IMAGE *image, void **ret_buffer, struct load_options *ret_options)
{
	struct preparation prepared;
	enum kexec_status status = prepare(image, &prepared);

	*ret_options = (struct load_options){ 0 };
	*ret_buffer = prepared.buffer;
	if (!status && prepared.size)
		load_options_parse(image->LoadOptions, prepared.size, &prepared.sender, prepared.buffer, ret_options);
	return status;
}

enum kexec_status own_options_read_request(const EFI_LOADED_IMAGE *image, void **ret_buffer,
					   struct stub_request *ret_request)
{
	struct preparation prepared;
	enum kexec_status status = prepare(image, &prepared);

	*ret_request = (struct stub_request){ 0 };
	*ret_buffer = prepared.buffer;
	if (!status && prepared.size)
		*ret_request = stub_request_parse(image->LoadOptions, prepared.size, &prepared.sender, prepared.buffer);
	return status;
}
