// SPDX-License-Identifier: BSD-2-Clause
/* How a step of the pipeline ended. EFI_STATUS stays inside efi/. */
#pragma once

enum kexec_status {
	KEXEC_OK = 0,
	KEXEC_NO_MEMORY,   /* no place for what was asked, or none left at the firmware */
	KEXEC_NOT_FOUND,   /* a file, symbol or table is not there */
	KEXEC_TRUNCATED,   /* ends before what it says it holds */
	KEXEC_BAD_FORMAT,  /* contradicts its own format */
	KEXEC_UNSUPPORTED, /* well-formed, but nothing that can be booted here */
	KEXEC_TOO_LARGE,   /* exceeds a limit that the kernel or this loader sets */
	KEXEC_MISMATCH,	   /* not the bytes that were promised */
	KEXEC_DENIED,	   /* nobody who is trusted vouches for it */
	KEXEC_IO,	   /* the firmware reported an error */
};
