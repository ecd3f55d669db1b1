// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM, by EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification, 6), and its substitute in a confidential guest, by
 * EFI_CC_MEASUREMENT_PROTOCOL (UEFI specification 38.2). Both are used alike; only the guest's registers have other
 * numbers. If both exist, we measure into both.
 *
 * After a boot's measurements each register is complete, capped or open. A capped register lacks a measurement, and has
 * an error event instead. An open register lacks a measurement and does not show it: the program that extends it next
 * can give it the value of another boot.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/tcg_log.h"

/* Upper limit of the bytes that we read of a log. Logs take some ten KiB, and firmware reserves 64. */
#define TPM_LOG_SIZE_MAX (4u << 20)

/* The members that EFI_TCG2_PROTOCOL and EFI_CC_MEASUREMENT_PROTOCOL share, and one more of the latter. */
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
	const void *bytes; /* to be hashed; NULL: there was no memory for them, so the measurement fails */
	uint64_t size;
	bool as_image;	 /* hashed as a PE image, by its Authenticode digest; else byte by byte */
	const void *log; /* the event's data in the log */
	uint32_t log_size;
};

/*
 * The protocol of the TPM, or, without a TPM, of a confidential guest; NULL if there is neither. If the firmware cannot
 * say whether it has a TPM, it counts as having one. *ret_is_tpm: it is EFI_TCG2_PROTOCOL.
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
 * Finds the log in the format of TPM 2.0, or else in the older format, which a confidential guest does not have.
 * Returns false if there is neither.
 */
bool tpm_log_find(struct measurement_protocol *source, bool source_is_tpm, struct tpm_log *ret_log);

/* An EV_SEPARATOR with `value`, which must outlive it: 0 ends a register, 1 means that an error left it incomplete. */
struct tpm_event tpm_separator(const char *what, uint32_t pcr, const uint32_t *value);

/* Begins a start's measurements: nothing has been measured or missed yet. */
void tpm_find(void);

/*
 * Begins the measurements of another entry in the same start. Measurements of the earlier entries stay in the
 * registers, and registers that lack one still lack it. tpm_measure_unless_logged considers only events from here on.
 */
void tpm_find_again(void);

/*
 * Extends a register with the digest of `event->bytes` and logs it. With `as_image` the digest is Authenticode's,
 * unless the bytes are not a PE image. If that fails, it warns and caps the register, and later measurements are still
 * made. Returns whether there are registers, and all of them have the event.
 */
bool tpm_measure(const struct tpm_event *event);

/*
 * Does the same for an application that the platform was asked about since tpm_find or tpm_find_again, and should have
 * measured (the same specification, 3.3.4.5), but only if the log shows that it has not. If the log cannot tell,
 * assumes that it has.
 */
void tpm_measure_unless_logged(const struct tpm_event *application);

/* Registers of a TPM. */
#define TPM_REGISTER_COUNT 24

struct tpm_outcome {
	bool is_there;	 /* there is a TPM or a confidential guest's registers, or they cannot be ruled out */
	bool is_unsure;	 /* a log could not tell whether it contains the application */
	uint32_t missed; /* PCRs that lack a measurement, bit N for PCR N */
	uint32_t open;	 /* those of them that could not be capped */
};

/* The results of the measurements since tpm_find. Tries once more to cap registers that could not be capped. */
struct tpm_outcome tpm_outcome(void);
