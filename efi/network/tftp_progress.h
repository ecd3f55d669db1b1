// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shows the progress of a file that the firmware fetches in one call, through EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL (UEFI
 * specification 24.4), and feeds the watchdog. If the firmware does not call back, the watchdog is off meanwhile: the
 * firmware's TFTP has a timeout of its own.
 */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "efi/network/tftp.h"

struct tftp_progress {
	EFI_PXE_BASE_CODE_CALLBACK_PROTOCOL callback;
	EFI_HANDLE handle; /* the handle with the callback, or NULL */
	const struct tftp_file *file;
	uint64_t arrived; /* bytes, approximately */
	uint64_t packets;
	uint64_t start_usec;
	uint64_t next_usec; /* when to show it */
};

/* `progress` must stay where it is until tftp_progress_end. */
void tftp_progress_start(struct tftp_progress *progress, const struct tftp_file *file);

void tftp_progress_end(struct tftp_progress *progress);
