// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files on the volume that our image came from. They are read from front to back, each byte once, straight to where
 * it is wanted.
 */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/digest.h"
#include "boot/status.h"
#include "boot/text.h"
#include "common/sha256.h"

/* Longest path, in UTF-8 with its NUL. */
#define FILE_PATH_SIZE 512

struct file {
	char path[FILE_PATH_SIZE]; /* as the entry has it, for messages */
	EFI_FILE_HANDLE handle;
	const char *memory; /* what is served from memory, instead of the handle */
	uint64_t size;
	uint64_t done;		  /* bytes read and hashed so far */
	uint64_t large_read_size; /* how much comes in good time; 0: not known yet */
	uint64_t opened_usec;
	uint64_t next_shown_usec; /* when its progress is to be shown */
	bool is_hashed;		  /* set it before the first read for the SHA-256 of all that is read from the file */
	struct sha256 hash;
};

/* Says which device files are on. Its volume is opened with the first of them, and closed by file_close_volume. */
void file_set_device(EFI_HANDLE device);
void file_close_volume(void);

/* How many pieces of memory can be served as files. */
#define FILES_SERVED_MAX 4

/*
 * Serves `content`, which must stay, as the file `name` from here on: what a unified image carries in its sections is
 * loaded as files are. `name` must stay as well.
 */
void file_serve(const char *name, struct text content);

/*
 * Opens the file `path`, with / or \ between its parts, for reading. Directories are refused. The caller closes it
 * with file_close, which is harmless on a zeroed struct file.
 */
enum kexec_status file_open(struct text path, struct file *ret_file);
void file_close(struct file *file);

/* Opens a file of the volume anew where its handle has failed, to be read on from where it was read to. */
enum kexec_status file_reopen(struct file *file);

/*
 * Reads the next `size` bytes to the physical address `addr`, through a buffer below 4 GiB where that is not. Fails
 * if the firmware reports an error or the file ends before. Each piece is hashed where it lies as soon as it has
 * arrived, while it is still in the CPU's caches: for the file's own hash if that is wanted, and for `digest`, which
 * may be NULL.
 */
enum kexec_status file_read(struct file *file, uint64_t addr, uint64_t size, struct digest *digest);

/*
 * Shows on the console how far the file is and how fast: by itself while it is read, if that takes longer than a
 * second, four times in each. When it has been read whole, file_show_done says how fast, to those who have seen it
 * begin and to the log.
 */
void file_show_progress(struct file *file);
void file_show_done(const struct file *file);

/* Makes sure that the file ends where its size said: a file that goes on was not read whole. */
enum kexec_status file_expect_end(struct file *file);
