// SPDX-License-Identifier: BSD-2-Clause
/* The load options that our image was started with, and who has passed them. */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot/loadoptions.h"
#include "boot/status.h"
#include "boot/stub_request.h"

/* Whether the volume that our image came from is the one that edk2 makes of what QEMU is told. */
bool own_volume_is_qemu(const EFI_LOADED_IMAGE *image);

/* Parses the image's load options into *ret_buffer, which the caller frees; NULL if there are none. */
enum kexec_status own_options_read(const EFI_LOADED_IMAGE *image, void **ret_buffer, struct load_options *ret_options);

/* The same for our image where something is sealed in it. */
enum kexec_status own_options_read_request(const EFI_LOADED_IMAGE *image, void **ret_buffer,
					   struct stub_request *ret_request);
