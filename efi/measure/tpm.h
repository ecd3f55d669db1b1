// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM, by EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification, 6), and what stands for it in a confidential guest, by
 * EFI_CC_MEASUREMENT_PROTOCOL (UEFI specification 38.2). The two are used alike; only the guest's registers have other
 * numbers. Where there are both, both are measured into.
 *
 * After a boot's measurements each register is in one of three states. It has all of them. Or it lacks some, and has an
 * error instead: it is capped. Or it lacks some and does not show it: then it is open, and whoever extends it next can
 * give it the value of another boot.
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
	const void *bytes; /* what is hashed; NULL: there was no memory to make it in, so the measurement fails */
	uint64_t size;
	bool as_image;	 /* hashed as a PE image, by its Authenticode digest; else byte by byte */
	const void *log; /* what the log says of it */
	uint32_t log_size;
};

/*
 * The protocol of the TPM, or where there is none that of a confidential guest; NULL where there is neither. A TPM that
 * cannot say whether it is there counts as one.
 * *ret_is_tpm: it is EFI_TCG2_PROTOCOL.
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

/* An EV_SEPARATOR with `value`, which must outlive it: 0 ends a register, and 1 says that an error left it short. */
struct tpm_event tpm_separator(const char *what, uint32_t pcr, const uint32_t *value);

/* Begins a start's measurements: nothing has been measured or missed yet. */
void tpm_find(void);

/*
 * Begins those of another entry in the same start. What the entries before it have measured stays in the registers, and
 * what was missed is still missed; but what the platform is shown from here on is what counts as shown.
 */
void tpm_find_again(void);

/*
 * Extends a register with the digest of `event->bytes` and logs it. An application is hashed as its signature does
 * (Authenticode), unless it is no PE image. Where that fails, there is a warning, the register gets an error instead,
 * and what is measured next is measured all the same. Returns whether there are registers, and all of
 * them have the event.
 */
bool tpm_measure(const struct tpm_event *event);

/*
 * The same for an application that the platform has been shown since tpm_find or tpm_find_again, and should have
 * measured (the same specification, 3.3.4.5): only where the log says that it has not. Where the log cannot tell, it
 * has.
 */
void tpm_measure_unless_logged(const struct tpm_event *application);

/* Registers of a TPM. */
#define TPM_REGISTER_COUNT 24

struct tpm_outcome {
	bool is_there;	 /* a TPM or a confidential guest's registers, or what could be one */
	bool is_unsure;	 /* a log could not tell whether it has the application */
	uint32_t missed; /* PCRs that lack a measurement, bit N for PCR N */
	uint32_t open;	 /* those of them that could not be capped */
};

/* What became of the measurements since tpm_find. Tries once more to cap what could not be capped before. */
struct tpm_outcome tpm_outcome(void);
