// SPDX-License-Identifier: BSD-2-Clause
/* Measures by the firmware's protocols. */
#include "efi/trust/tpm.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"

#define EVENT_HEADER_VERSION 1
#define PCR_OF_APPLICATIONS 4

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

/* TCG PC Client Platform Firmware Profile Specification, 10.4.1, EV_SEPARATOR */
static const uint8_t separator[4];
static const uint8_t separator_of_error[4] = { 1 };

static struct measurement_protocol *protocol;
static bool is_tpm;
static bool has_failed;	  /* something is not measured */
static uint32_t uncapped; /* a bit for each register that could not be capped */
static bool log_was_whole;
static uint64_t log_size_before;

static bool may_have_tpm(struct measurement_protocol *tcg2)
{
	struct capability capability = { .size = sizeof(capability) };

	return EFI_ERROR(tcg2->get_capability(tcg2, &capability)) || capability.tpm_present;
}

struct measurement_protocol *tpm_protocol(bool *ret_is_tpm)
{
	EFI_GUID tcg2_guid = { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } };
	EFI_GUID cc_guid = { 0x96751a3d, 0x72f4, 0x41a6, { 0xa7, 0x94, 0xed, 0x5d, 0x0e, 0x67, 0xae, 0x6b } };
	struct measurement_protocol *found = firmware_protocol(&tcg2_guid);

	*ret_is_tpm = found && may_have_tpm(found);
	return *ret_is_tpm ? found : firmware_protocol(&cc_guid);
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

/* What is behind the log of now will have been added. */
static void remember_log(void)
{
	struct tpm_log found;
	struct tcg_log log;

	log_size_before = 0;
	log_was_whole = tpm_log_find(protocol, is_tpm, &found);
	if (!log_was_whole || !found.last_addr)
		return;
	log = readable_log(&found);
	log_size_before = tcg_log_size(&log, found.last_addr - found.addr, &log_was_whole);
}

void tpm_find(void)
{
	has_failed = false;
	uncapped = 0;
	protocol = tpm_protocol(&is_tpm);
	if (protocol)
		remember_log();
}

static EFI_STATUS find_index(uint32_t pcr, uint32_t *ret_index)
{
	UINT32 index = pcr;
	EFI_STATUS status = is_tpm ? EFI_SUCCESS : protocol->map_pcr_to_mr_index(protocol, pcr, &index);

	*ret_index = index;
	return status;
}

static EFI_STATUS extend(const struct tpm_event *event, struct logged_event *logged)
{
	UINT64 flags = event->type == TPM_EVENT_BOOT_SERVICES_APPLICATION ? PE_COFF_IMAGE : 0;
	uint32_t size = (uint32_t)sizeof(*logged) + event->log_size;
	EFI_STATUS status;
	uint32_t index;

	status = find_index(event->pcr, &index);
	if (EFI_ERROR(status))
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
		log_warning("TPM: the log is full: it does not tell of the %s", event->what);
		return EFI_SUCCESS;
	}
	return status;
}

/* A separator needs no memory that could be lacking. */
static EFI_STATUS separate(uint32_t pcr, const uint8_t value[static sizeof(separator)])
{
	uint8_t room[sizeof(struct logged_event) + sizeof(separator)] __attribute__((aligned(8)));
	const struct tpm_event event = {
		.what = "separator",
		.pcr = pcr,
		.type = TPM_EVENT_SEPARATOR,
		.bytes = value,
		.size = sizeof(separator),
		.log = value,
		.log_size = sizeof(separator),
	};

	return extend(&event, (struct logged_event *)room);
}

static void fail(const char *what, uint32_t pcr, EFI_STATUS reason)
{
	EFI_STATUS status = separate(pcr, separator_of_error);

	has_failed = true;
	if (!EFI_ERROR(status)) {
		log_warning("TPM: cannot measure the %s into PCR %u: %s; the register is capped", what, pcr,
			    efi_status_name(reason));
		return;
	}
	uncapped |= 1u << pcr;
	log_warning("TPM: cannot measure the %s into PCR %u: %s; it cannot be capped either", what, pcr,
		    efi_status_name(reason));
}

void tpm_measure(const struct tpm_event *event)
{
	struct logged_event *logged;
	EFI_STATUS status;

	if (!protocol)
		return;
	firmware_feed_watchdog();
	status = firmware_boot_services->AllocatePool(EfiLoaderData, sizeof(*logged) + event->log_size,
						      (void **)&logged);
	if (!EFI_ERROR(status)) {
		status = extend(event, logged);
		firmware_boot_services->FreePool(logged);
	}
	if (EFI_ERROR(status))
		fail(event->what, event->pcr, status);
	else
		log_verbose("measured the %s into PCR %u", event->what, event->pcr);
}

void tpm_close_register(uint32_t pcr)
{
	EFI_STATUS status;

	if (!protocol)
		return;
	status = separate(pcr, separator);
	if (EFI_ERROR(status))
		fail("separator", pcr, status);
}

enum tpm_state tpm_finish(void)
{
	if (!protocol)
		return TPM_ABSENT;
	for (uint32_t pcr = 0; uncapped >> pcr; pcr++) {
		if (uncapped & 1u << pcr && !EFI_ERROR(separate(pcr, separator_of_error)))
			uncapped &= ~(1u << pcr);
	}
	if (uncapped)
		return TPM_OPEN;
	return has_failed ? TPM_CAPPED : TPM_MEASURED;
}

/* The event need not be the last: shim measures the key that it verified with behind it. */
enum tpm_log_answer tpm_find_application(void)
{
	struct tcg_event application = { .type = TPM_EVENT_BOOT_SERVICES_APPLICATION };
	struct tpm_log found;
	struct tcg_log log;
	bool whole = true;

	if (!protocol || EFI_ERROR(find_index(PCR_OF_APPLICATIONS, &application.index)))
		return TPM_LOG_LACKS;
	if (!log_was_whole || !tpm_log_find(protocol, is_tpm, &found))
		return TPM_LOG_UNKNOWN;
	if (found.last_addr) {
		log = readable_log(&found);
		if (tcg_log_contains(&log, log_size_before, found.last_addr - found.addr, &application, &whole))
			return TPM_LOG_HOLDS;
	}
	return found.truncated || !whole ? TPM_LOG_UNKNOWN : TPM_LOG_LACKS;
}
