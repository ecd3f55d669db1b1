// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files on a TFTP server, through EFI_PXE_BASE_CODE_PROTOCOL (UEFI specification 24.3). TFTP has no ranges, so a file
 * is fetched whole: straight to its place if the caller reads it whole, else to a buffer from which pieces are copied.
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
	uint64_t size;	  /* in bytes, according to the server */

	bool is_fetched;
	uint64_t arrived; /* bytes received then */

	/* The bytes, unless they went straight to their place; 0: no buffer. */
	EFI_PHYSICAL_ADDRESS buffer;

	char path[NETWORK_NAME_SIZE];
};

/* Asks for the size of the file at file->path. The caller has set the members above `size`, and zeroed the rest. */
enum kexec_status tftp_file_open(struct tftp_file *file);

/* As `read` of a source. The file must have the size that the server stated. */
enum kexec_status tftp_file_read(struct tftp_file *file, uint64_t offset, void *buffer, uint64_t *size,
				 const char **ret_why);

void tftp_file_close(struct tftp_file *file);
