// SPDX-License-Identifier: BSD-2-Clause
/* Results of the pipeline's steps. EFI_STATUS stays inside efi/. */
#pragma once

enum kexec_status {
	KEXEC_OK = 0,
	KEXEC_NO_MEMORY,   /* no fitting place, or the firmware has no memory left */
	KEXEC_NOT_FOUND,   /* a file, symbol or table is not there */
	KEXEC_TRUNCATED,   /* ends before its stated end */
	KEXEC_BAD_FORMAT,  /* contradicts its own format */
	KEXEC_UNSUPPORTED, /* well-formed, but not bootable here */
	KEXEC_TOO_LARGE,   /* exceeds a limit that the kernel or this loader sets */
	KEXEC_MISMATCH,	   /* not the bytes of the expected digest */
	KEXEC_DENIED,	   /* no trusted party vouches for it */
	KEXEC_IO,	   /* the firmware reported an error */
};
