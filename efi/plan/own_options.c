// SPDX-License-Identifier: BSD-2-Clause
#include "efi/plan/own_options.h"

#include "boot/imagepath.h"
#include "boot/pool.h"
#include "efi/services/firmware.h"

/* Our own path is only looked at. */
#define OWN_PATH_SIZE 512

/* EFI_SHELL_PARAMETERS_PROTOCOL is on the handle of whatever a UEFI shell starts (UEFI Shell specification 2.3). */
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

/* Who passes the load options. Our path is written to `own_path`. */
static struct load_options_sender find_sender(const EFI_LOADED_IMAGE *image, char own_path[OWN_PATH_SIZE])
{
	struct load_options_sender sender = { .is_shell = is_from_shell(), .is_qemu = own_volume_is_qemu(image) };
	const void *nodes = image->FilePath;

	if (nodes && image_path(nodes, device_path_size(nodes), own_path, OWN_PATH_SIZE))
		sender.own_path = text_of_string(own_path);
	return sender;
}

/* Makes a buffer for parsing the load options. Without any, *ret_size is 0 and there is no buffer. */
static enum kexec_status prepare(const EFI_LOADED_IMAGE *image, size_t *ret_size, void **ret_buffer)
{
	size_t size = image->LoadOptions ? image->LoadOptionsSize : 0;

	*ret_size = size;
	*ret_buffer = NULL;
	if (size == 0)
		return KEXEC_OK;
	return pool_alloc(LOAD_OPTIONS_BUFFER_SIZE(size > LOAD_OPTIONS_SIZE_MAX ? 0 : size), "load options",
			  ret_buffer);
}

enum kexec_status own_options_read(const EFI_LOADED_IMAGE *image, void **ret_buffer, struct load_options *ret_options)
{
	struct load_options_sender sender;
	char own_path[OWN_PATH_SIZE];
	enum kexec_status status;
	size_t size;

	*ret_options = (struct load_options){ 0 };
	status = prepare(image, &size, ret_buffer);
	if (status || !size)
		return status;
	sender = find_sender(image, own_path);
	load_options_parse(image->LoadOptions, size, &sender, *ret_buffer, ret_options);
	return KEXEC_OK;
}

enum kexec_status own_options_read_request(const EFI_LOADED_IMAGE *image, void **ret_buffer,
					   struct stub_request *ret_request)
{
	struct load_options_sender sender;
	char own_path[OWN_PATH_SIZE];
	enum kexec_status status;
	size_t size;

	*ret_request = (struct stub_request){ 0 };
	status = prepare(image, &size, ret_buffer);
	if (status || !size)
		return status;
	sender = find_sender(image, own_path);
	*ret_request = stub_request_parse(image->LoadOptions, size, &sender, *ret_buffer);
	return KEXEC_OK;
}
