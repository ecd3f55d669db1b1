// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM, by EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification, 6), or what stands for it in a confidential guest, by
 * EFI_CC_MEASUREMENT_PROTOCOL (UEFI specification 38.2). The two are used alike; only its registers have other numbers.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/tcg_log.h"

/* Logs take some ten KiB, and firmware sets 64 aside. No more than this is read of one. */
#define TPM_LOG_SIZE_MAX (4u << 20)

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
	TPM_EVENT_SEPARATOR = 0x4,
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
 * *ret_is_tpm: it is EFI_TCG2_PROTOCOL. One that does not tell whether it has a TPM counts as one that has.
 */
struct measurement_protocol *tpm_protocol(bool *ret_is_tpm);

/* Where the firmware keeps its log of events. */
struct tpm_log {
	enum tcg_log_format format;
	EFI_PHYSICAL_ADDRESS addr;
	EFI_PHYSICAL_ADDRESS last_addr; /* of the last event; 0: there is none */
	bool truncated;			/* the firmware had no room for all events */
};

/*
 * Finds the log in the format of TPM 2.0, or where there is none that of before, which a confidential guest has not.
 * Returns false where there is neither.
 */
bool tpm_log_find(struct measurement_protocol *source, bool source_is_tpm, struct tpm_log *ret_log);

/* Finds the TPM. Without one, what follows does nothing. */
void tpm_find(void);

/*
 * Extends a register with the digest of `event->bytes` and logs it. An application is hashed as its signature does
 * (Authenticode), unless it is no PE image.
 *
 * Where that fails, the register is capped: extended with the error value of a separator (the same specification, 3.3.4
 * and 10.4.1: EV_SEPARATOR of 01 00 00 00), so that nobody can make it what it would have become. What follows is
 * measured all the same.
 */
void tpm_measure(const struct tpm_event *event);

/*
 * Extends a register that nothing is measured into with a separator (EV_SEPARATOR of 00 00 00 00), so that what comes
 * after us cannot choose its value.
 */
void tpm_close_register(uint32_t pcr);

/* What can be said of the registers. */
enum tpm_state {
	TPM_ABSENT,   /* there are none */
	TPM_MEASURED, /* they hold what was measured */
	TPM_CAPPED,   /* something was not measured; the register for it can no longer become what it should be */
	TPM_OPEN,     /* something was not measured, and the register for it could still become anything */
};

/* Caps once more what could not be capped before, and says how it stands. */
enum tpm_state tpm_finish(void);

/* Whether the platform has measured an application that it was shown, as far as its log tells. */
enum tpm_log_answer {
	TPM_LOG_HOLDS,
	TPM_LOG_LACKS,
	TPM_LOG_UNKNOWN, /* the log is full, makes no sense, or cannot be read */
};

/* For who has shown an application to the platform since tpm_find, which then should have measured it (3.3.4.5). */
enum tpm_log_answer tpm_find_application(void);
