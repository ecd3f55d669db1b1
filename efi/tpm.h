// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM, by EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification, 6), or what stands for it in a confidential guest, by
 * EFI_CC_MEASUREMENT_PROTOCOL (UEFI specification 38.2). The two are used alike; only its registers have other numbers.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

/* EFI_TCG2_PROTOCOL, as far as EFI_CC_MEASUREMENT_PROTOCOL is the same, and one more function of the latter alone. */
struct measurement_protocol {
	EFI_STATUS(EFIAPI *get_capability)(struct measurement_protocol *this, void *capability);
	EFI_STATUS(EFIAPI *get_event_log)
	(struct measurement_protocol *this, UINT32 format, EFI_PHYSICAL_ADDRESS *ret_log,
	 EFI_PHYSICAL_ADDRESS *ret_last, BOOLEAN *ret_truncated);
	EFI_STATUS(EFIAPI *hash_log_extend_event)
	(struct measurement_protocol *this, UINT64 flags, EFI_PHYSICAL_ADDRESS bytes, UINT64 size, const void *event);
	EFI_STATUS(EFIAPI *map_pcr_to_mr_index)(struct measurement_protocol *this, UINT32 pcr, UINT32 *ret_index);
};

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

/*
 * The protocol of the TPM, or where there is none that of a confidential guest; NULL where there is neither.
 * *ret_is_tpm: it is EFI_TCG2_PROTOCOL.
 */
struct measurement_protocol *tpm_protocol(bool *ret_is_tpm);

/* Finds the TPM. Without one, what follows does nothing. */
void tpm_find(void);

/*
 * Extends a register with the digest of `event->bytes` and logs it. An application is hashed as its signature does
 * (Authenticode), unless it is no PE image. A TPM that fails gets a line and is left alone from then on: that never
 * stops a boot, for then the registers do not hold what they should, and whoever relies on them will see.
 */
void tpm_measure(const struct tpm_event *event);

/*
 * Whether somebody has measured an application since tpm_find: LoadImage measures what it loads (the same
 * specification, 3.3.4.5).
 */
bool tpm_application_measured(void);
