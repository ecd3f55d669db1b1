// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where our own image lies, from the device path that the firmware gives (EFI_LOADED_IMAGE_PROTOCOL.FilePath: UEFI
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
 * Writes the image's path, in UTF-8 with a NUL, to `ret_path`. `nodes` are device path nodes, `size` bytes of them; the
 * pieces in several file path nodes make one path. Returns false where there is none, as for an image that comes from
 * memory or the network, or none that fits; that is for the caller to judge.
 */
bool image_path(const void *nodes, size_t size, char *ret_path, size_t capacity);

/*
 * Whether `word` names the image whose path is `path`: the last parts are the same, without regard to the case of ASCII
 * and to .efi at their ends. Any folders and any drive (fs0:) may stand in front of either.
 */
bool image_is_named(struct text word, struct text path);

/*
 * As image_path for the file beside the image: its path with .conf in place of .efi (in either case), or with .conf
 * appended where it ends otherwise. Without one there is nothing to boot, which is said.
 */
enum kexec_status image_path_conf(const void *nodes, size_t size, char *ret_path, size_t capacity);

/*
 * Whether the device path `nodes` is of the volume that edk2 makes of QEMU's -kernel, -initrd, -append and -shim
 * (OvmfPkg/QemuKernelLoaderFsDxe). It has the files kernel, initrd, cmdline and shim.
 */
bool image_is_on_qemu_volume(const void *nodes, size_t size);
