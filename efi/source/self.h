// SPDX-License-Identifier: BSD-2-Clause
/* Our own image as it lies in memory. */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot/pe.h"
#include "boot/status.h"

/* From where our code runs, by the linker's word, as many bytes as the firmware says that the image has. */
struct pe_image self_image(const EFI_LOADED_IMAGE *image);

/*
 * Refuses if EFI_LOADED_IMAGE_PROTOCOL (UEFI specification 9.1) speaks of another image than the one whose code runs:
 * what it says of our place and size is not to be believed then.
 */
enum kexec_status self_check(const EFI_LOADED_IMAGE *image);

/* Whether tools/seal has marked this image: then it boots what is sealed in it, or nothing. */
bool self_is_marked(void);
