// SPDX-License-Identifier: BSD-2-Clause
/* Measures by the firmware's protocols. */
#include "efi/measure/tpm.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"

#define EVENT_HEADER_VERSION 1

enum {
	PE_COFF_IMAGE = 0x10, /* a flag, the same in both protocols */
};

/* EFI_TCG2_EVENT and EFI_CC_EVENT */
struct __attribute__((packed)) logged_event {
	uint32_t size;
	uint32_t header_size; /* from here up to `event` */
	uint16_t header_version;
	uint32_t index;
	uint32_t type;
	uint8_t event[];
};

_Static_assert(offsetof(struct logged_event, event) == 18, "EFI_TCG2_EVENT");

/* EFI_TCG2_BOOT_SERVICE_CAPABILITY */
struct capability {
	uint8_t size;
	uint8_t versions[4];
	uint32_t hash_algorithms;
	uint32_t log_formats;
	uint8_t tpm_present;
	uint8_t rest[64];
};

_Static_assert(offsetof(struct capability, tpm_present) == 16, "EFI_TCG2_BOOT_SERVICE_CAPABILITY");

#define REGISTER(pcr) (UINT32_C(1) << (pcr))

/* A protocol that measures, and the results of our measurements with it since tpm_find. */
struct meter {
	const char *name;
	EFI_GUID guid;
	bool is_tpm;
	bool is_there;	 /* it was found at any time, or could not be ruled out */
	bool is_unsure;	 /* its log did not tell whether it contains an application */
	uint32_t missed; /* registers that lack a measurement */
	uint32_t capped; /* those of them that got an error event instead */
	bool log_was_whole;
	uint64_t log_size_before;
};

static struct meter meters[] = {
	{ .name = "TPM",
	  .guid = { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } },
	  .is_tpm = true },
	{ .name = "CC", .guid = { 0x96751a3d, 0x72f4, 0x41a6, { 0xa7, 0x94, 0xed, 0x5d, 0x0e, 0x67, 0xae, 0x6b } } },
};

/* Whether the firmware says that there is no TPM. An error, or an answer that it did not fill in, does not say so. */
static bool denies_tpm(struct measurement_protocol *tcg2)
{
	struct capability capability = { .size = sizeof(capability), .tpm_present = 1 };

	return tcg2->get_capability(tcg2, &capability) == EFI_SUCCESS && !capability.tpm_present;
}

/*
 * Looks for the protocol each time, because firmware may remove it, or may report a TPM that failed as absent. Only
 * EFI_NOT_FOUND means that there is none.
 */
static EFI_STATUS locate(const struct meter *meter, struct measurement_protocol **ret_protocol)
{
	struct measurement_protocol *protocol = NULL;
	EFI_STATUS status;

	status = firmware_boot_services->LocateProtocol((EFI_GUID *)&meter->guid, NULL, (void **)&protocol);
	if (status != EFI_SUCCESS)
		return status;
	if (!protocol)
		return EFI_DEVICE_ERROR;
	if (meter->is_tpm && denies_tpm(protocol))
		return EFI_NOT_FOUND;
	*ret_protocol = protocol;
	return EFI_SUCCESS;
}

static EFI_STATUS find(struct meter *meter, struct measurement_protocol **ret_protocol)
{
	EFI_STATUS status = locate(meter, ret_protocol);

	meter->is_there |= status != EFI_NOT_FOUND;
	return status;
}

struct measurement_protocol *tpm_protocol(bool *ret_is_tpm)
{
	struct measurement_protocol *protocol;

	for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
		*ret_is_tpm = meters[i].is_tpm;
		if (locate(&meters[i], &protocol) == EFI_SUCCESS)
			return protocol;
	}
	return NULL;
}

static bool get_log(struct measurement_protocol *source, enum tcg_log_format format, struct tpm_log *ret_log)
{
	struct tpm_log log = { .format = format };
	BOOLEAN truncated = FALSE;

	if (EFI_ERROR(source->get_event_log(source, format, &log.addr, &log.last_addr, &truncated)) || !log.addr)
		return false;
	log.truncated = truncated;
	*ret_log = log;
	return true;
}

bool tpm_log_find(struct measurement_protocol *source, bool source_is_tpm, struct tpm_log *ret_log)
{
	return get_log(source, TCG_LOG_FORMAT_2, ret_log) ||
	       (source_is_tpm && get_log(source, TCG_LOG_FORMAT_1_2, ret_log));
}

static struct tcg_log readable_log(const struct tpm_log *found)
{
	uint64_t room = memory_readable_size(found->addr);

	return (struct tcg_log){
		.format = found->format,
		.bytes = phys_to_ptr(found->addr),
		.room = room < TPM_LOG_SIZE_MAX ? room : TPM_LOG_SIZE_MAX,
	};
}

/* Remembers the end of the log, to recognise the events that are added behind it. */
static void remember_log(struct meter *meter, struct measurement_protocol *protocol)
{
	struct tpm_log found;
	struct tcg_log log;

	meter->log_was_whole = tpm_log_find(protocol, meter->is_tpm, &found);
	if (!meter->log_was_whole || !found.last_addr)
		return;
	log = readable_log(&found);
	meter->log_size_before = tcg_log_size(&log, found.last_addr - found.addr, &meter->log_was_whole);
}

void tpm_find_again(void)
{
	struct measurement_protocol *protocol;

	for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
		meters[i].log_was_whole = false;
		meters[i].log_size_before = 0;
		if (find(&meters[i], &protocol) == EFI_SUCCESS)
			remember_log(&meters[i], protocol);
	}
}

void tpm_find(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
		struct meter *meter = &meters[i];

		*meter = (struct meter){ .name = meter->name, .guid = meter->guid, .is_tpm = meter->is_tpm };
	}
	tpm_find_again();
}

static EFI_STATUS find_index(const struct meter *meter, struct measurement_protocol *protocol, uint32_t pcr,
			     uint32_t *ret_index)
{
	UINT32 index = pcr;
	EFI_STATUS status = EFI_SUCCESS;

	if (!meter->is_tpm)
		status = protocol->map_pcr_to_mr_index(protocol, pcr, &index);
	*ret_index = index;
	return status;
}

/* `logged` has room for the event. */
static EFI_STATUS extend(const struct meter *meter, struct measurement_protocol *protocol,
			 const struct tpm_event *event, struct logged_event *logged)
{
	UINT64 flags = event->as_image ? PE_COFF_IMAGE : 0;
	uint32_t size = (uint32_t)sizeof(*logged) + event->log_size;
	EFI_STATUS status;
	uint32_t index;

	status = find_index(meter, protocol, event->pcr, &index);
	if (status != EFI_SUCCESS)
		return status;
	*logged = (struct logged_event){
		.size = size,
		.header_size = sizeof(*logged) - sizeof(logged->size),
		.header_version = EVENT_HEADER_VERSION,
		.index = index,
		.type = event->type,
	};
	memcpy(logged->event, event->log, event->log_size);
	status = protocol->hash_log_extend_event(protocol, flags, (uintptr_t)event->bytes, event->size, logged);
	if (flags && (status == EFI_UNSUPPORTED || status == EFI_INVALID_PARAMETER))
		status = protocol->hash_log_extend_event(protocol, 0, (uintptr_t)event->bytes, event->size, logged);
	/* TCG PC Client Platform Firmware Profile, HashLogExtendEvent: the register was extended all the same. */
	if (status == EFI_VOLUME_FULL) {
		log_warning("%s: the log is full: it does not contain the %s", meter->name, event->what);
		return EFI_SUCCESS;
	}
	return status;
}

static EFI_STATUS measure(struct meter *meter, const struct tpm_event *event)
{
	struct measurement_protocol *protocol;
	struct logged_event *logged;
	EFI_STATUS status;

	status = find(meter, &protocol);
	if (status != EFI_SUCCESS)
		return status;
	/* The caller had no memory for the bytes to be measured. */
	if (!event->bytes)
		return EFI_OUT_OF_RESOURCES;
	status = firmware_boot_services->AllocatePool(EfiLoaderData, sizeof(*logged) + event->log_size,
						      (void **)&logged);
	if (status != EFI_SUCCESS)
		return status;
	status = extend(meter, protocol, event, logged);
	firmware_boot_services->FreePool(logged);
	return status;
}

struct tpm_event tpm_separator(const char *what, uint32_t pcr, const uint32_t *value)
{
	return (struct tpm_event){
		.what = what,
		.pcr = pcr,
		.type = TPM_EVENT_SEPARATOR,
		.bytes = value,
		.size = sizeof(*value),
		.log = value,
		.log_size = sizeof(*value),
	};
}

/*
 * Extends the register with an EV_SEPARATOR whose value is 1. The profile uses that event for an error that left a
 * register incomplete (10.4.1; edk2's Tcg2Pei caps registers 0 to 7 with it). No complete boot has this event, so later
 * events cannot lead to a value that somebody expects. Needs no memory.
 */
static bool cap(struct meter *meter, uint32_t pcr)
{
	static const uint32_t error = 1;
	uint8_t logged[sizeof(struct logged_event) + sizeof(error)];
	const struct tpm_event event = tpm_separator("error", pcr, &error);
	struct measurement_protocol *protocol;
	EFI_STATUS status;

	status = find(meter, &protocol);
	if (status == EFI_SUCCESS)
		status = extend(meter, protocol, &event, (struct logged_event *)logged);
	if (status != EFI_SUCCESS)
		return false;
	meter->capped |= REGISTER(pcr);
	return true;
}

/* Returns false if the register exists and lacks the event. */
static bool measure_or_cap(struct meter *meter, const struct tpm_event *event)
{
	EFI_STATUS status = measure(meter, event);
	bool is_capped;

	if (status == EFI_SUCCESS) {
		log_verbose("measured the %s into PCR %u", event->what, event->pcr);
		return true;
	}
	meter->missed |= REGISTER(event->pcr);
	if (!meter->is_there)
		return true;
	is_capped = cap(meter, event->pcr);
	log_warning("%s: cannot measure the %s into PCR %u: %s; %s", meter->name, event->what, event->pcr,
		    efi_status_name(status), is_capped ? "the register is capped" : "it cannot be capped either");
	return false;
}

bool tpm_measure(const struct tpm_event *event)
{
	bool is_somewhere = false;
	bool is_everywhere = true;

	firmware_feed_watchdog();
	for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
		is_everywhere &= measure_or_cap(&meters[i], event);
		is_somewhere |= meters[i].is_there;
	}
	return is_somewhere && is_everywhere;
}

enum log_answer {
	LOG_HOLDS,
	LOG_LACKS,
	LOG_UNKNOWN, /* it is full, makes no sense, or cannot be read */
};

/*
 * Whether the log got an application since tpm_find. It need not be the last event, because shim then measures the key
 * that it verified the application with.
 */
static enum log_answer find_application(struct meter *meter, uint32_t pcr)
{
	struct tcg_event application = { .type = TPM_EVENT_BOOT_SERVICES_APPLICATION };
	struct measurement_protocol *protocol;
	struct tpm_log found;
	struct tcg_log log;
	bool whole = true;

	if (find(meter, &protocol) != EFI_SUCCESS ||
	    find_index(meter, protocol, pcr, &application.index) != EFI_SUCCESS || !meter->log_was_whole ||
	    !tpm_log_find(protocol, meter->is_tpm, &found))
		return LOG_UNKNOWN;
	if (found.last_addr) {
		log = readable_log(&found);
		if (tcg_log_contains(&log, meter->log_size_before, found.last_addr - found.addr, &application, &whole))
			return LOG_HOLDS;
	}
	return found.truncated || !whole ? LOG_UNKNOWN : LOG_LACKS;
}

/*
 * If the log cannot tell, assume that the kernel was measured. Firmware extends the register even if the log is full.
 * Extending it again would be wrong wherever firmware follows the specification, and would lock its users out. Not
 * extending it is wrong only on other firmware, and there the register lacks a kernel that was vouched for.
 */
static bool is_logged(struct meter *meter, uint32_t pcr)
{
	enum log_answer answer = find_application(meter, pcr);

	if (answer != LOG_UNKNOWN)
		return answer == LOG_HOLDS;
	meter->is_unsure = true;
	if (meter->is_there)
		log_verbose("%s: the log does not tell whether the kernel is in it: taken for measured", meter->name);
	return true;
}

void tpm_measure_unless_logged(const struct tpm_event *application)
{
	firmware_feed_watchdog();
	for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
		if (!is_logged(&meters[i], application->pcr))
			measure_or_cap(&meters[i], application);
	}
}

static void cap_again(struct meter *meter)
{
	for (uint32_t pcr = 0; pcr < TPM_REGISTER_COUNT; pcr++) {
		if (meter->missed & ~meter->capped & REGISTER(pcr))
			cap(meter, pcr);
	}
}

struct tpm_outcome tpm_outcome(void)
{
	struct tpm_outcome outcome = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
		struct meter *meter = &meters[i];
		struct measurement_protocol *protocol;

		find(meter, &protocol);
		if (!meter->is_there)
			continue;
		cap_again(meter);
		outcome.is_there = true;
		outcome.is_unsure |= meter->is_unsure;
		outcome.missed |= meter->missed;
		outcome.open |= meter->missed & ~meter->capped;
	}
	return outcome;
}
