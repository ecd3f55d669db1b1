// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files on a TFTP server, through EFI_PXE_BASE_CODE_PROTOCOL (UEFI specification 24.3). TFTP knows no ranges: a file
 * comes whole, straight to its place where that is asked for, else to a buffer that pieces are then copied from.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/network_name.h"
#include "boot/status.h"

struct tftp_file {
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;
	EFI_IP_ADDRESS server;
	EFI_HANDLE device;
	const char *name; /* for messages; the caller's */
	uint64_t size;	  /* in bytes, as the server says */

	bool is_fetched;
	uint64_t arrived; /* bytes that came then */

	/* Where they are, unless they went to their place at once; 0 without them. */
	EFI_PHYSICAL_ADDRESS buffer;

	char path[NETWORK_NAME_SIZE];
};

/* Asks for the size of the file at file->path, whose members above `size` are set, and the rest zeroed. */
enum kexec_status tftp_file_open(struct tftp_file *file);

/* As `read` of a source. What arrives must have the size that the server said. */
enum kexec_status tftp_file_read(struct tftp_file *file, uint64_t offset, void *buffer, uint64_t *size,
				 const char **ret_why);

void tftp_file_close(struct tftp_file *file);
