// SPDX-License-Identifier: BSD-2-Clause
/* The load options that our image was started with, and their sender. */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot/loadoptions.h"
#include "boot/status.h"
#include "boot/stub_request.h"

/* Whether our image came from the volume that edk2 makes of QEMU's -kernel, -initrd, -append and -shim. */
bool own_volume_is_qemu(const EFI_LOADED_IMAGE *image);

/* Parses the image's load options into *ret_buffer, which the caller frees; NULL if there are none. */
enum kexec_status own_options_read(const EFI_LOADED_IMAGE *image, void **ret_buffer, struct load_options *ret_options);

/* Does the same for an image with sealed contents. */
enum kexec_status own_options_read_request(const EFI_LOADED_IMAGE *image, void **ret_buffer,
					   struct stub_request *ret_request);
