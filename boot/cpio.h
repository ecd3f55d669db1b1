// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes archives of the format newc (Documentation/driver-api/early-userspace/buffer-format.rst), which Linux unpacks
 * as an initrd. They are byte for byte those of systemd-stub (systemd 262, src/boot/cpio.c), so a prediction of a TPM's
 * values, or a comparison of initrds, gives the same result for both.
 */
#pragma once

#include <stdint.h>

#include "boot/status.h"

/* The folder of an archive's files. Folders above the last one have the mode 0555. */
struct cpio_folder {
	const char *path; /* without a slash in front or at the end */
	uint16_t mode;
	uint16_t file_mode;
};

/* An archive that is being written. */
struct cpio {
	const struct cpio_folder *folder;
	uint8_t *bytes;	   /* NULL: only count sizes */
	uint64_t capacity; /* of `bytes` */
	uint64_t size;	   /* so far */
	uint32_t inode;	   /* of the next member */
};

/*
 * Begins an archive with its folders, in `capacity` bytes at `bytes`. With NULL it only counts the archive's size; the
 * same calls later write exactly that many bytes. A call that would write beyond `capacity` fails.
 */
enum kexec_status cpio_start(struct cpio *ret_cpio, const struct cpio_folder *folder, void *bytes, uint64_t capacity);

/*
 * Adds a file of `size` bytes. The caller writes its content to *ret_content, which is NULL while sizes are counted.
 * `name` has no slash. The format does not allow a file of 4 GiB or more.
 */
enum kexec_status cpio_add_file(struct cpio *cpio, const char *name, uint64_t size, uint8_t **ret_content);

/* Ends the archive: cpio->size is its size, a multiple of 4. */
enum kexec_status cpio_finish(struct cpio *cpio);
