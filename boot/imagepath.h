// SPDX-License-Identifier: BSD-2-Clause
/*
 * The path of our own image, from the device path that the firmware gives (EFI_LOADED_IMAGE_PROTOCOL.FilePath: UEFI
 * specification 9.1; File Path Media Device Path: 10.3.5.4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/status.h"
#include "boot/text.h"

/* No device path is longer. */
#define IMAGE_PATH_NODES_SIZE_MAX 65536u

/*
 * Writes the image's path, in UTF-8 with a NUL, to `ret_path`. `nodes` are `size` bytes of device path nodes. Several
 * file path nodes make one path. Returns false, and logs nothing, if there is no path, as for an image from memory or
 * the network, or if it does not fit.
 */
bool image_path(const void *nodes, size_t size, char *ret_path, size_t capacity);

/*
 * Whether `word` names the image whose path is `path`. Compares only the last parts of both, without regard to the case
 * of ASCII and to .efi at the end. Folders and a drive (fs0:) in front do not matter.
 */
bool image_is_named(struct text word, struct text path);

/*
 * Like image_path, for the entry file beside the image: the image's path with .conf in place of .efi (in any case), or
 * with .conf appended. If there is no such path, it logs that, because there is nothing to boot.
 */
enum kexec_status image_path_conf(const void *nodes, size_t size, char *ret_path, size_t capacity);

/*
 * Whether the device path `nodes` is of the volume that edk2 makes of QEMU's -kernel, -initrd, -append and -shim
 * (OvmfPkg/QemuKernelLoaderFsDxe). It has the files kernel, initrd, cmdline and shim.
 */
bool image_is_on_qemu_volume(const void *nodes, size_t size);
