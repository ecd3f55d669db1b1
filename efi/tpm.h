// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM, by EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification, 6), or what stands for it in a confidential guest, by
 * EFI_CC_MEASUREMENT_PROTOCOL (UEFI specification 38.2). The two are used alike; only its registers have other numbers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* TCG PC Client Platform Firmware Profile Specification, 10.4.1 */
enum tpm_event_type {
	TPM_EVENT_TAG = 0x6,
	TPM_EVENT_IPL = 0xd,
	TPM_EVENT_BOOT_SERVICES_APPLICATION = 0x80000003,
};

struct tpm_event {
	const char *what; /* for messages */
	uint32_t pcr;
	enum tpm_event_type type;
	const void *bytes; /* what is hashed */
	uint64_t size;
	const void *log; /* what the log says of it */
	uint32_t log_size;
};

/* Finds the TPM. Without one, what follows does nothing. */
void tpm_find(void);

/*
 * Extends a register with the digest of `event->bytes` and logs it. An application is hashed as its signature does
 * (Authenticode), unless it is no PE image. A TPM that fails gets a line and is left alone from then on: that never stops
 * a boot, for then the registers do not hold what they should, and whoever relies on them will see.
 */
void tpm_measure(const struct tpm_event *event);

/*
 * Whether somebody has measured an application since tpm_find: LoadImage measures what it loads (the same
 * specification, 3.3.4.5).
 */
bool tpm_application_measured(void);
