// SPDX-License-Identifier: BSD-2-Clause
/* Our own image as it lies in memory. */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot/pe.h"
#include "boot/status.h"

/* Our image, at the address where our code runs, with the size that the firmware states. */
struct pe_image self_image(const EFI_LOADED_IMAGE *image);

/*
 * Refuses if EFI_LOADED_IMAGE_PROTOCOL (UEFI specification 9.1) describes another image than the one whose code runs:
 * then its address and size cannot be trusted.
 */
enum kexec_status self_check(const EFI_LOADED_IMAGE *image);

/* Whether tools/seal has marked this image. Then it boots only its sealed contents. */
bool self_is_marked(void);
