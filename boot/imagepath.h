// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where our own image lies, from the device path that the firmware gives (EFI_LOADED_IMAGE_PROTOCOL.FilePath: UEFI
 * specification 9.1; File Path Media Device Path: 10.3.5.4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/status.h"

/* No device path is longer. */
#define IMAGE_PATH_NODES_SIZE_MAX 65536u

/*
 * Writes the image's path, in UTF-8 with a NUL, to `ret_path`. `nodes` are device path nodes, `size` bytes of them; the
 * pieces in several file path nodes make one path. Returns false where there is none, as for an image that comes from
 * memory or the network, or none that fits; that is for the caller to judge.
 */
bool image_path(const void *nodes, size_t size, char *ret_path, size_t capacity);

/*
 * The same for the file beside the image: its path with .conf in place of .efi (in either case), or with .conf appended
 * where it ends otherwise. Without one there is nothing to boot, which is said.
 */
enum kexec_status image_path_conf(const void *nodes, size_t size, char *ret_path, size_t capacity);
