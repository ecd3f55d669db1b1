// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes archives of the format newc (Documentation/driver-api/early-userspace/buffer-format.rst), which Linux unpacks
 * as an initrd, byte for byte as systemd-stub writes them (systemd 262, src/boot/cpio.c): who predicts what a TPM holds
 * after a boot, or has the initrd of one to compare with, finds the same.
 *
 * Inodes count from 1, owners and times are 0, every folder on the way to the files comes first, and each archive ends
 * with its own trailer.
 */
#pragma once

#include <stdint.h>

#include "boot/status.h"

/* Where the files of an archive go. Folders above the last are 0555. */
struct cpio_folder {
	const char *path; /* without a slash in front or at the end */
	uint16_t mode;
	uint16_t file_mode;
};

/* An archive in the making. */
struct cpio {
	const struct cpio_folder *folder;
	uint8_t *bytes;	   /* NULL: sizes are counted, nothing is written */
	uint64_t capacity; /* of `bytes` */
	uint64_t size;	   /* so far */
	uint32_t inode;	   /* of the next member */
};

/*
 * Begins an archive with its folders, in `capacity` bytes at `bytes`, or with NULL to learn its size: the same calls
 * write what they counted. An archive that needs more than `capacity` is refused by the call that would write behind
 * it.
 */
enum kexec_status cpio_start(struct cpio *ret_cpio, const struct cpio_folder *folder, void *bytes, uint64_t capacity);

/*
 * Adds a file of `size` bytes, whose content the caller writes to *ret_content, NULL where sizes are counted. `name`
 * has no slash. The format has no file of 4 GiB or more.
 */
enum kexec_status cpio_add_file(struct cpio *cpio, const char *name, uint64_t size, uint8_t **ret_content);

/* Ends the archive: cpio->size is its size, a multiple of 4. */
enum kexec_status cpio_finish(struct cpio *cpio);
