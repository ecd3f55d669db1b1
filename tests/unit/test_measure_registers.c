// SPDX-License-Identifier: BSD-2-Clause
/*
 * The registers after a boot in which the firmware fails at each call in turn. The fake firmware keeps a log, and
 * registers like a TPM's: a later program can only extend a register. So it can reach another boot's value only from an
 * intermediate value of that boot. After each boot, a register must hold the value of a boot without failures, or a
 * value that is no intermediate value of any boot. Otherwise the boot must be refused.
 */
#include "efi/measure/measure.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/sha256.h"
#include "efi/measure/events.h"
#include "efi/measure/tpm.h"
#include "efi/services/firmware.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

#define LOG_SIZE 8192
#define REGISTER_COUNT 24
#define WAYS_MAX 4096

enum {
	EV_SEPARATOR = 4,
	EV_APPLICATION = (int)0x80000003,
	PE_COFF_IMAGE = 0x10,
};

/* --- failures --- */

/* Kinds of calls. */
enum call {
	CALL_NONE,
	CALL_EXTEND,
	CALL_MAP, /* from a TPM's register to one of a confidential guest */
	CALL_POOL,
	CALL_LOCATE,
	CALL_CAPABILITY,
	CALL_LOG,
	CALL_KINDS,
};

/* The calls `first` to `last` of a kind return `status`. The count begins at 1. */
static struct {
	enum call call;
	unsigned first;
	unsigned last;
	EFI_STATUS status;
	bool is_done;	 /* the call has its effect, but returns `status` */
	bool denies_tpm; /* GetCapability succeeds, and reports that there is no TPM */
} fault;

static unsigned calls[CALL_KINDS];

static bool fails(enum call call)
{
	calls[call]++;
	return call == fault.call && calls[call] >= fault.first && calls[call] <= fault.last;
}

/* --- registers --- */

typedef uint8_t value[SHA256_DIGEST_SIZE];

struct __attribute__((packed)) event {
	uint32_t size;
	uint32_t header_size;
	uint16_t header_version;
	uint32_t index;
	uint32_t type;
	uint8_t content[];
};

/* A TPM, or the registers of a confidential guest. */
struct place {
	struct measurement_protocol protocol; /* first */
	EFI_GUID guid;
	bool is_installed;
	bool was_found; /* or might have been found, as far as the caller knows */
	bool is_tpm;
	value registers[REGISTER_COUNT];
	uint32_t types[REGISTER_COUNT]; /* of the last event in each */
	uint8_t *log;
	size_t log_size;
	size_t last_event;
	unsigned extended; /* the number of our extensions */
};

static uint8_t logs[2][LOG_SIZE] __attribute__((aligned(4096)));

/* All intermediate values of boots without failures, and where they occur. */
static struct {
	const struct place *place;
	uint32_t index;
	value value;
} ways[WAYS_MAX];
static size_t way_count;
static bool records_ways;

static void put(struct place *place, const void *bytes, size_t size)
{
	assert_true(size <= LOG_SIZE - place->log_size);
	memcpy(place->log + place->log_size, bytes, size);
	place->log_size += size;
}

static void put_number(struct place *place, uint32_t number, size_t size)
{
	put(place, &number, size);
}

static void start_log(struct place *place)
{
	static const uint8_t header[8 + 20] = { [4] = 3 }; /* EV_NO_ACTION */
	static const uint8_t spec_id[24] = "Spec ID Event03";

	place->log_size = 0;
	place->last_event = 0;
	put(place, header, sizeof(header));
	put_number(place, sizeof(spec_id) + 4 + 4 + 1, 4);
	put(place, spec_id, sizeof(spec_id));
	put_number(place, 1, 4);
	put_number(place, 0x0b, 2);
	put_number(place, SHA256_DIGEST_SIZE, 2);
	put_number(place, 0, 1);
}

static void note_way(const struct place *place, uint32_t index)
{
	if (!records_ways)
		return;
	assert_true(way_count < WAYS_MAX);
	ways[way_count].place = place;
	ways[way_count].index = index;
	memcpy(ways[way_count++].value, place->registers[index], sizeof(value));
}

static bool leads_somewhere(const struct place *place, uint32_t index)
{
	for (size_t i = 0; i < way_count; i++) {
		if (ways[i].place == place && ways[i].index == index &&
		    sha256_equal(ways[i].value, place->registers[index]))
			return true;
	}
	return false;
}

static void extend(struct place *place, uint32_t index, uint32_t type, const void *bytes, size_t size)
{
	struct sha256 state;
	value digest;

	assert_true(index < REGISTER_COUNT);
	sha256_of(bytes, size, digest);
	sha256_start(&state);
	sha256_update(&state, place->registers[index], sizeof(value));
	sha256_update(&state, digest, sizeof(value));
	sha256_digest(&state, place->registers[index]);
	place->types[index] = type;
	note_way(place, index);
	place->last_event = place->log_size;
	put_number(place, index, 4);
	put_number(place, type, 4);
	put_number(place, 1, 4);
	put_number(place, 0x0b, 2);
	put(place, digest, sizeof(digest));
	put_number(place, 0, 4);
}

/* --- the firmware's services --- */

static EFI_STATUS EFIAPI get_capability(struct measurement_protocol *this, void *capability)
{
	uint8_t *bytes = capability;

	(void)this;
	assert_true(bytes[0] >= 17);
	if (fails(CALL_CAPABILITY)) {
		if (fault.denies_tpm)
			bytes[16] = 0;
		return fault.denies_tpm ? EFI_SUCCESS : fault.status;
	}
	bytes[16] = 1;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_event_log(struct measurement_protocol *this, UINT32 format, EFI_PHYSICAL_ADDRESS *ret_log,
				       EFI_PHYSICAL_ADDRESS *ret_last, BOOLEAN *ret_truncated)
{
	struct place *place = (struct place *)this;

	if (fails(CALL_LOG))
		return fault.status;
	if (format != TCG_LOG_FORMAT_2)
		return EFI_INVALID_PARAMETER;
	*ret_log = (uintptr_t)place->log;
	*ret_last = (uintptr_t)place->log + place->last_event;
	*ret_truncated = FALSE;
	return EFI_SUCCESS;
}

/* Bytes that begin with MZ count as an application. Its digest differs from that of the bytes. */
static EFI_STATUS EFIAPI hash_log_extend_event(struct measurement_protocol *this, UINT64 flags,
					       EFI_PHYSICAL_ADDRESS bytes, UINT64 size, const void *logged)
{
	const char *content = phys_to_ptr(bytes);
	const struct event *event = logged;
	bool is_failed = fails(CALL_EXTEND);

	assert_int_equal(event->header_size, 14);
	assert_int_equal(event->header_version, 1);
	assert_true(event->size > sizeof(*event));
	assert_true(flags == 0 || (flags == PE_COFF_IMAGE && event->type == (uint32_t)EV_APPLICATION));
	if (is_failed && !fault.is_done)
		return fault.status;
	if (flags && memcmp(content, "MZ", 2) != 0)
		return EFI_UNSUPPORTED;
	((struct place *)this)->extended++;
	extend((struct place *)this, event->index, event->type, flags ? content + 1 : content, flags ? size - 1 : size);
	return is_failed ? fault.status : EFI_SUCCESS;
}

/* The table of UEFI specification 38.4.1: registers of TDX. */
static uint32_t index_of(const struct place *place, uint32_t pcr)
{
	if (place->is_tpm)
		return pcr;
	return pcr == 0 ? 0 : pcr == 1 || pcr == 7 ? 1 : pcr <= 6 ? 2 : 3;
}

static EFI_STATUS EFIAPI map_pcr(struct measurement_protocol *this, UINT32 pcr, UINT32 *ret_index)
{
	if (fails(CALL_MAP))
		return fault.status;
	*ret_index = index_of((struct place *)this, pcr);
	return EFI_SUCCESS;
}

static struct place places[] = {
	{ .protocol = { get_capability, get_event_log, hash_log_extend_event, NULL },
	  .guid = { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } },
	  .is_tpm = true,
	  .log = logs[0] },
	{ .protocol = { NULL, get_event_log, hash_log_extend_event, map_pcr },
	  .guid = { 0x96751a3d, 0x72f4, 0x41a6, { 0xa7, 0x94, 0xed, 0x5d, 0x0e, 0x67, 0xae, 0x6b } },
	  .log = logs[1] },
};

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration, void **ret_interface)
{
	(void)registration;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i].is_installed || memcmp(&places[i].guid, guid, sizeof(*guid)) != 0)
			continue;
		if (fails(CALL_LOCATE)) {
			places[i].was_found |= fault.status != EFI_NOT_FOUND;
			return fault.status;
		}
		places[i].was_found = true;
		*ret_interface = &places[i];
		return EFI_SUCCESS;
	}
	return EFI_NOT_FOUND;
}

static unsigned pool_held;

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN size, void **ret_buffer)
{
	(void)type;
	if (fails(CALL_POOL))
		return fault.status;
	*ret_buffer = test_malloc(size);
	pool_held++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
	test_free(buffer);
	pool_held--;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size, CHAR16 *text)
{
	(void)seconds;
	(void)code;
	(void)size;
	(void)text;
	return EFI_SUCCESS;
}

static void start(bool has_tpm, bool has_cc)
{
	static struct efi_descriptor map[1];

	map[0] =
		(struct efi_descriptor)DESCRIPTOR(EfiBootServicesData, (uintptr_t)logs, (uintptr_t)logs + sizeof(logs));
	fake_firmware_start(map, ARRAY_SIZE(map));
	log_set_verbose(false);
	firmware_boot_services->LocateProtocol = locate_protocol;
	firmware_boot_services->AllocatePool = allocate_pool;
	firmware_boot_services->FreePool = free_pool;
	firmware_boot_services->SetWatchdogTimer = set_watchdog_timer;
	places[0].is_installed = has_tpm;
	places[1].is_installed = has_cc;
}

/* --- boots --- */

struct boot {
	const char *kernel;
	const char *text;
	const char *initrd;
	const char *command_line;
	const char *image;	   /* the bytes of a unified image, or NULL */
	const char *added_options; /* added to its command line */
	uint32_t profile;
	const char *as_image; /* the key; the kernel is then measured as a unified image */
};

/* Offsets in ->image; each part has one byte. The signature's last byte is only in memory. */
#define IMAGE_KERNEL 0
#define IMAGE_COMMAND_LINE 1
#define IMAGE_SIGNATURE 2
#define IMAGE_PUBLIC_KEY 3

enum {
	SAID_OUTSIDE = 0,
	SAID_SEALED = 1,
	REQUIRED = 2,
};

/*
 * Secrets are sealed to the first boot. The second is its twin without an initrd. Each other boot differs from the
 * first in one part.
 */
static const struct boot boots[] = {
	{ .kernel = "MZ the kernel",
	  .text = "linux /vmlinuz",
	  .initrd = "the initrd",
	  .command_line = "root=/dev/vda1" },
	{ .kernel = "MZ the kernel", .text = "linux /vmlinuz", .command_line = "root=/dev/vda1" },
	{ .kernel = "MZ the kernel",
	  .text = "linux /vmlinuz",
	  .initrd = "an evil initrd",
	  .command_line = "root=/dev/vda1" },
	{ .kernel = "no application",
	  .text = "linux /old",
	  .initrd = "the initrd",
	  .command_line = "init=/bin/sh \xff" },
	{ .kernel = "MZ an image",
	  .text = "linux /uki",
	  .initrd = "the initrd",
	  .command_line = "quiet",
	  .image = "KcsP" },
	{ .kernel = "MZ an image",
	  .text = "linux /uki",
	  .command_line = "quiet more",
	  .image = "KcsQ",
	  .added_options = "more",
	  .profile = 7 },
	{ .kernel = "MZ the kernel",
	  .text = "linux /vmlinuz",
	  .initrd = "the initrd",
	  .command_line = "root=/dev/vda1",
	  .as_image = "the key" },
};

#define PLAIN_BOOTS 4
#define UNIFIED_BOOT 4

/* Whether the platform is asked about the kernel. Correct firmware measures it then. */
enum shown {
	NOT_SHOWN,
	SHOWN,
	SHOWN_AND_NOT_MEASURED,
	SHOWN_KINDS,
};

static void show(const struct boot *boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		extend(&places[i], index_of(&places[i], 4), (uint32_t)EV_APPLICATION, boot->kernel + 1,
		       strlen(boot->kernel) - 1);
}

static struct kexec_segment segment_of(const char *text)
{
	return (struct kexec_segment){ .mem = (uintptr_t)text, .bufsz = strlen(text) };
}

/* Measurements on a machine that has just started us. */
static void measure_what_came_before(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct place *place = &places[i];

		memset(place->registers, 0, sizeof(place->registers));
		start_log(place);
		for (uint32_t pcr = 0; pcr < 8; pcr++)
			extend(place, index_of(place, pcr), EV_SEPARATOR, "\0\0\0", 4);
		extend(place, index_of(place, 4), (uint32_t)EV_APPLICATION, "our image", 9);
	}
}

static void reset(void)
{
	static struct place before[ARRAY_SIZE(places)];

	if (!before[0].log_size) {
		measure_what_came_before();
		memcpy(before, places, sizeof(before));
	}
	memset(calls, 0, sizeof(calls));
	log_clear();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bool is_installed = places[i].is_installed;

		places[i] = before[i];
		places[i].is_installed = is_installed;
		places[i].was_found = false;
		for (uint32_t index = 0; index < REGISTER_COUNT; index++)
			note_way(&places[i], index);
	}
}

/* The Authenticode digest covers all bytes that run. */
static size_t no_ranges(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX])
{
	(void)plan;
	(void)ret_ranges;
	return 0;
}

static const struct kernel_format format = { .signed_ranges = no_ranges };

static struct unified_view view_of(const char *image)
{
	struct unified_view view = { .bytes = (const uint8_t *)image };

	if (!image)
		return view;
	view.image.sections[UNIFIED_KERNEL] = (struct unified_section){ IMAGE_KERNEL, 1, 1 };
	view.image.sections[UNIFIED_COMMAND_LINE] = (struct unified_section){ IMAGE_COMMAND_LINE, 1, 1 };
	view.image.sections[UNIFIED_SIGNATURE] = (struct unified_section){ IMAGE_SIGNATURE, 1, 1 };
	view.image.sections[UNIFIED_PUBLIC_KEY] = (struct unified_section){ IMAGE_PUBLIC_KEY, 1, 3 };
	return view;
}

/* Measures up to the initrds, or to the end. */
enum extent {
	UP_TO_THE_KERNEL,
	ALL,
};

/* Measures an entry; measuring must have begun. */
static enum kexec_status measure_entry(const struct boot *boot, enum shown shown, unsigned policy, enum extent extent)
{
	struct boot_plan plan = {
		.said_by = "the entry",
		.text = { .start = boot->text, .length = strlen(boot->text) },
		.kernel = { .trust = policy & SAID_SEALED ? TRUST_IMAGE : TRUST_PLATFORM },
		.require_measurement = policy & REQUIRED,
		.command_line = text_of_string(boot->added_options ? boot->added_options : ""),
		.profile = boot->profile,
		.measured_as_image = boot->as_image,
	};
	struct kernel kernel = {
		.part = &plan.kernel,
		.view = view_of(boot->image),
		.plan = { .format = &format },
		.file = (const uint8_t *)boot->kernel,
		.file_size = strlen(boot->kernel),
	};
	struct kexec_segment initrd = segment_of(boot->initrd ? boot->initrd : "");
	const struct loaded_initrds initrds = {
		.segment = boot->initrd ? &initrd : NULL,
		.named_size = boot->initrd ? strlen(boot->initrd) : 0,
		.pcr_key = text_of_string(boot->as_image ? boot->as_image : ""),
	};
	enum kexec_status status;

	if (shown == SHOWN)
		show(boot);
	measure_kernel(&plan, &kernel, shown != NOT_SHOWN);
	if (extent == UP_TO_THE_KERNEL) {
		measure_refusal(&plan, shown != NOT_SHOWN);
		return KEXEC_MISMATCH;
	}
	if (boot->image && boot->initrd)
		measure_added_initrd("/more", boot->initrd, strlen(boot->initrd));
	measure_rest(&plan, &kernel, &initrds, text_of_string(boot->command_line));
	status = measure_finish(&plan);
	assert_int_equal(pool_held, 0);
	return status;
}

static enum kexec_status run(const struct boot *boot, enum shown shown, unsigned policy)
{
	reset();
	measure_start();
	return measure_entry(boot, shown, policy, ALL);
}

/* --- expectations --- */

static value truth[ARRAY_SIZE(places)][REGISTER_COUNT];
static const uint32_t ours[] = { 4, 9, 11, 12 };

static void boot_without_a_fault(const struct boot *boot, enum shown shown)
{
	fault.call = CALL_NONE;
	expect_ok(run(boot, shown, REQUIRED));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		memcpy(truth[i], places[i].registers, sizeof(truth[i]));
}

static bool is_true(size_t place, uint32_t pcr)
{
	uint32_t index = index_of(&places[place], pcr);

	return sha256_equal(places[place].registers[index], truth[place][index]);
}

static bool may_lack_kernel;

static bool is_closed(size_t place, uint32_t pcr)
{
	return is_true(place, pcr) || (pcr == 4 && may_lack_kernel) ||
	       !leads_somewhere(&places[place], index_of(&places[place], pcr));
}

static bool says_warning_of(uint32_t pcr)
{
	char warning[80];

	format_text(warning, sizeof(warning), "PCR %u is not measured and cannot be capped", pcr);
	return strstr(logged(), warning);
}

/* Several registers of a TPM map to the same register of a guest. */
static bool is_warned_of(size_t place, uint32_t pcr)
{
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (index_of(&places[place], ours[i]) == index_of(&places[place], pcr) && says_warning_of(ours[i]))
			return true;
	}
	return false;
}

/* Whether `wanted` holds for each of our registers at each recorded place. */
static bool all_registers(bool (*wanted)(size_t place, uint32_t pcr))
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ours); k++) {
			if (places[i].was_found && !wanted(i, ours[k]))
				return false;
		}
	}
	return true;
}

static bool is_closed_or_warned_of(size_t place, uint32_t pcr)
{
	return is_closed(place, pcr) || is_warned_of(place, pcr);
}

static void fail_with(const char *what, enum shown shown, unsigned policy)
{
	fail_msg("%s: call %d from %u to %u returns 0x%lx, done %d, shown %d, policy %u: %s", what, fault.call,
		 fault.first, fault.last, (unsigned long)fault.status, fault.is_done, shown, policy, logged());
}

static unsigned boots_tried;
static unsigned boots_refused;

/* Properties that must hold after any failure. */
static void try(const struct boot *boot, enum shown shown, unsigned policy)
{
	bool is_single = fault.first == fault.last;
	enum kexec_status status = run(boot, shown, policy);

	/*
	 * The exception: firmware that does not measure an image when asked about it, and whose log is unreadable: see
	 * tpm_measure_unless_logged.
	 */
	may_lack_kernel = shown == SHOWN_AND_NOT_MEASURED && policy != REQUIRED && tpm_outcome().is_unsure;

	boots_tried++;
	boots_refused += status != KEXEC_OK;
	if (status) {
		if (status != KEXEC_DENIED)
			fail_with("refused, but not by policy", shown, policy);
		if (policy == SAID_OUTSIDE)
			fail_with("refused without a reason to", shown, policy);
		if (policy == SAID_SEALED && is_single)
			fail_with("refused for one failure, which a cap helps", shown, policy);
		return;
	}
	if (policy == SAID_OUTSIDE && !is_single ? !all_registers(is_closed_or_warned_of) : !all_registers(is_closed))
		fail_with("a register can be led to another boot's value", shown, policy);
	/* If a file is refused as an application, it is measured as bytes. */
	if (policy == REQUIRED && fault.status != EFI_UNSUPPORTED && !all_registers(is_true))
		fail_with("required, and not measured", shown, policy);
}

static void try_policies(const struct boot *boot, enum shown shown)
{
	try(boot, shown, SAID_OUTSIDE);
	try(boot, shown, SAID_SEALED);
	try(boot, shown, REQUIRED);
}

static const EFI_STATUS statuses[] = {
	EFI_DEVICE_ERROR,
	EFI_UNSUPPORTED, /* as for a file that is not an application */
	EFI_NOT_FOUND,
	EFI_WARN_WRITE_FAILURE,
};

/* Fails only the Nth call; the Nth and all later calls; and all calls up to the Nth. */
static void try_calls(const struct boot *boot, enum shown shown, enum call call)
{
	unsigned count;

	fault.call = CALL_NONE;
	expect_ok(run(boot, shown, SAID_OUTSIDE));
	count = calls[call];
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		/* Allocations do not return warnings. */
		if (call == CALL_POOL && !EFI_ERROR(statuses[i]))
			continue;
		/* A cap adds up to 3 calls. */
		for (unsigned n = 1; n <= count + 3; n++) {
			fault.call = call;
			fault.status = statuses[i];
			fault.first = n;
			fault.last = n;
			try_policies(boot, shown);
			fault.last = UINT32_MAX;
			try_policies(boot, shown);
			fault.first = 1;
			fault.last = n + 1;
			try_policies(boot, shown);
		}
	}
}

static void record_all_ways(void)
{
	records_ways = true;
	way_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++)
		boot_without_a_fault(&boots[i], NOT_SHOWN);
	records_ways = false;
}

static void with_each_call_failing(enum call call, bool is_done)
{
	memset(&fault, 0, sizeof(fault));
	for (unsigned has = 1; has < 4; has++) {
		start(has & 1, has & 2);
		record_all_ways();
		fault.is_done = is_done;
		for (size_t i = 1; i < ARRAY_SIZE(boots); i++) {
			/* These differ only in the kernel. */
			for (enum shown shown = NOT_SHOWN; shown < (i == 2 ? SHOWN_KINDS : SHOWN); shown++) {
				boot_without_a_fault(&boots[i], shown);
				try_calls(&boots[i], shown, call);
			}
		}
	}
	assert_in_range(boots_refused, 1, boots_tried - 1);
}

/* --- tests --- */

/* Asserts that the boot was refused, and that the last line is `reason`. */
static void expect_refused(enum kexec_status status, const char *reason)
{
	const char *found = strstr(logged(), reason);

	if (status != KEXEC_DENIED || !found || strchr(found, '\n')[1])
		fail_msg("expected a refusal for \"%s\", found status %d and: %s", reason, status, logged());
}

/*
 * A difference shows in its register. Kernel and initrd have registers of their own; the entry's text and the command
 * line share one.
 */
static void boots_are_told_apart(void **state)
{
	value values[ARRAY_SIZE(boots)][REGISTER_COUNT];

	(void)state;
	start(true, false);
	record_all_ways();
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		boot_without_a_fault(&boots[i], NOT_SHOWN);
		memcpy(values[i], truth[0], sizeof(values[i]));
	}
	for (size_t i = 0; i < PLAIN_BOOTS; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_int_equal(sha256_equal(values[i][9], values[k][9]), i == 3 && k == 0);
			assert_int_equal(sha256_equal(values[i][12], values[k][12]), i < 3);
		}
	}
}

static void both_are_measured_into(void **state)
{
	(void)state;
	for (unsigned has = 1; has < 4; has++) {
		start(has & 1, has & 2);
		boot_without_a_fault(&boots[0], NOT_SHOWN);
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			uint32_t last = places[i].types[index_of(&places[i], 11)];

			assert_int_equal(last == EV_SEPARATOR, places[i].is_installed);
		}
	}
	/* Kernel, entry, initrd, command line, separator. */
	assert_int_equal(places[1].extended, 5);
	assert_int_equal(places[0].extended, 5);
}

/* Extends a value of zeros with the digests of `count` 32-bit numbers. */
static void expect_extended(const value found, const uint32_t *numbers, size_t count)
{
	struct place scratch = { .log = (uint8_t[256]){ 0 } };

	for (size_t i = 0; i < count; i++) {
		extend(&scratch, 0, 0, &numbers[i], sizeof(numbers[i]));
		scratch.log_size = 0;
	}
	assert_memory_equal(found, scratch.registers[0], sizeof(value));
}

/* --- an entry that is refused, and the next one --- */

/* An entry that is refused before it is measured leaves no trace: the next one leaves the same values as without it. */
static void entry_refused_before_it_is_measured(void **state)
{
	const struct boot_plan refused = { .text = TEXT("linux /bad") };

	(void)state;
	start(true, true);
	boot_without_a_fault(&boots[0], NOT_SHOWN);
	reset();
	measure_start();
	measure_refusal(&refused, false);
	measure_start_again();
	measure_refusal(&refused, false);
	measure_start_again();
	expect_ok(measure_entry(&boots[0], NOT_SHOWN, REQUIRED, ALL));
	assert_true(all_registers(is_true));
}

/* Extends a value with the digest of a text. */
static void extend_by(value found, const char *text)
{
	struct place scratch = { .log = (uint8_t[256]){ 0 } };

	memcpy(scratch.registers[0], found, sizeof(scratch.registers[0]));
	extend(&scratch, 0, 0, text, strlen(text));
	memcpy(found, scratch.registers[0], sizeof(scratch.registers[0]));
}

/* Register 12 has the refusal of the first entry, then the events of the next one as if it were the first. */
static void entry_refused_once_it_is_measured(void **state)
{
	value expected = { 0 };

	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[1], NOT_SHOWN);
	reset();
	measure_start();
	measure_entry(&boots[3], NOT_SHOWN, SAID_OUTSIDE, UP_TO_THE_KERNEL);
	extend_by(expected, boots[3].text);
	assert_memory_equal(places[0].registers[12], expected, sizeof(expected));
	measure_start_again();
	expect_ok(measure_entry(&boots[1], NOT_SHOWN, REQUIRED, ALL));
	assert_false(is_true(0, 4));
	assert_false(is_true(0, 12));
	assert_true(is_true(0, 9));
	assert_true(is_true(0, 11));
	/* Two kernels, one refusal, and the second entry's text, command line and two separators. */
	assert_int_equal(places[0].extended, 7);
}

/* The platform may have measured a kernel that it does not trust. */
static void kernel_refused_by_the_platform(void **state)
{
	const struct boot_plan refused = { .text = TEXT("linux /unsigned") };
	value expected = { 0 };

	(void)state;
	start(true, false);
	reset();
	measure_start();
	measure_refusal(&refused, true);
	extend_by(expected, "linux /unsigned");
	assert_memory_equal(places[0].registers[12], expected, sizeof(expected));
}

/* The first entry's kernel in the log does not count for the second entry. */
static void kernels_of_both_entries_are_logged(void **state)
{
	(void)state;
	start(true, false);
	reset();
	measure_start();
	measure_entry(&boots[3], SHOWN, SAID_OUTSIDE, UP_TO_THE_KERNEL);
	assert_int_equal(places[0].extended, 1);
	measure_start_again();
	expect_ok(measure_entry(&boots[1], SHOWN_AND_NOT_MEASURED, REQUIRED, ALL));
	/* So the loader measures it, behind the refusal. */
	assert_int_equal(places[0].extended, 1 + 5);
}

/* A register that lacks an event of the first entry lacks it for the second as well. */
static void what_was_missed_stays_missed(void **state)
{
	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[1], NOT_SHOWN);
	for (unsigned is_capped = 0; is_capped < 2; is_capped++) {
		fault.call = CALL_EXTEND;
		fault.status = EFI_DEVICE_ERROR;
		fault.first = 1;
		fault.last = is_capped ? 1 : 2;
		reset();
		measure_start();
		measure_entry(&boots[3], NOT_SHOWN, SAID_OUTSIDE, UP_TO_THE_KERNEL);
		measure_start_again();
		expect_refused(measure_entry(&boots[1], NOT_SHOWN, REQUIRED, ALL), "found PCR 4 without one");
	}
}

/* Later programs use the other registers from 8 to 15, so they stay open. */
static void registers_without_a_measurement(void **state)
{
	static const uint32_t no_error = 0;

	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[1], NOT_SHOWN);
	for (uint32_t pcr = 8; pcr < REGISTER_COUNT; pcr++) {
		bool is_capped = pcr == 9 || pcr == 11;

		if (pcr != 12)
			expect_extended(places[0].registers[pcr], &no_error, is_capped);
		if (is_capped)
			assert_int_equal(places[0].types[pcr], EV_SEPARATOR);
	}
}

static void error_that_caps(void **state)
{
	static const uint32_t error = 1;

	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[0], NOT_SHOWN);
	fault.call = CALL_EXTEND;
	fault.status = EFI_DEVICE_ERROR;
	fault.first = fault.last = 3; /* the third call: after kernel and entry */
	expect_ok(run(&boots[0], NOT_SHOWN, SAID_SEALED));
	expect_extended(places[0].registers[9], &error, 1);
	assert_int_equal(places[0].types[9], EV_SEPARATOR);
	assert_non_null(
		strstr(logged(),
		       "warning: TPM: cannot measure the initrd into PCR 9: DEVICE_ERROR; the register is capped\n"));
	/* Later measurements are made nevertheless. */
	assert_true(is_true(0, 4));
	assert_true(is_true(0, 11));
	assert_true(is_true(0, 12));
	expect_refused(run(&boots[0], NOT_SHOWN, REQUIRED), "found PCR 9 without one");
}

/* Extends a value with the digest of some bytes. */
static void extend_with(value register_value, const void *bytes, size_t size)
{
	struct place scratch = { .log = (uint8_t[256]){ 0 } };

	memcpy(scratch.registers[0], register_value, sizeof(value));
	extend(&scratch, 0, 0, bytes, size);
	memcpy(register_value, scratch.registers[0], sizeof(value));
}

/*
 * Like systemd-stub: register 11 has name and content of each section, without the signature, and with zeros that only
 * memory has. 12 has the chosen profile and the additions. 9 has the measurements of the kernel's EFI stub.
 */
static void unified_image(void **state)
{
	static const char profile[] = "7\0\0";
	static const char more[] = "m\0o\0r\0e\0\0";
	static const char command_line[] = "q\0u\0i\0e\0t\0 \0m\0o\0r\0e\0\0";
	value expected[3] = { 0 };

	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[UNIFIED_BOOT + 1], NOT_SHOWN);
	extend_with(expected[0], ".linux", 7);
	extend_with(expected[0], "K", 1);
	extend_with(expected[0], ".cmdline", 9);
	extend_with(expected[0], "c", 1);
	extend_with(expected[0], ".pcrpkey", 9);
	extend_with(expected[0], "Q\0\0", 3);
	assert_memory_equal(truth[0][11], expected[0], sizeof(value));
	extend_with(expected[1], profile, sizeof(profile));
	extend_with(expected[1], more, sizeof(more));
	assert_memory_equal(truth[0][12], expected[1], sizeof(value));
	extend_with(expected[2], command_line, sizeof(command_line));
	assert_memory_equal(truth[0][9], expected[2], sizeof(value));
}

/* The added initrd is in 12. All initrds are in 9, behind the command line. */
static void initrd_added_to_a_unified_image(void **state)
{
	static const char command_line[] = "q\0u\0i\0e\0t\0\0";
	value expected[2] = { 0 };

	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[UNIFIED_BOOT], NOT_SHOWN);
	extend_with(expected[0], "the initrd", 10);
	assert_memory_equal(truth[0][12], expected[0], sizeof(value));
	extend_with(expected[1], command_line, sizeof(command_line));
	extend_with(expected[1], "the initrd", 10);
	assert_memory_equal(truth[0][9], expected[1], sizeof(value));
}

/* Files beside our image are measured like sections: two events for each existing file. */
static void kernel_measured_as_an_image(void **state)
{
	value expected = { 0 };
	value as_before;

	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[0], NOT_SHOWN);
	memcpy(as_before, truth[0][12], sizeof(value));
	boot_without_a_fault(&boots[UNIFIED_BOOT + 2], NOT_SHOWN);
	assert_memory_equal(truth[0][12], as_before, sizeof(value));
	extend_with(expected, ".linux", 7);
	extend_with(expected, "MZ the kernel", 13);
	extend_with(expected, ".cmdline", 9);
	extend_with(expected, "root=/dev/vda1", 14);
	extend_with(expected, ".initrd", 8);
	extend_with(expected, "the initrd", 10);
	extend_with(expected, ".pcrpkey", 9);
	extend_with(expected, "the key", 7);
	assert_memory_equal(truth[0][11], expected, sizeof(value));
	assert_true(events_are_complete(EVENTS_OF_IMAGE));
	assert_true(events_are_complete(EVENTS_OF_PARAMETERS));
}

/* A group counts as measured only if all its events are in the registers. */
static void groups_that_are_complete(void **state)
{
	(void)state;
	start(true, true);
	boot_without_a_fault(&boots[0], NOT_SHOWN);
	assert_false(events_are_complete(EVENTS_OF_IMAGE));
	assert_false(events_are_complete(EVENTS_OF_PARAMETERS));
	boot_without_a_fault(&boots[UNIFIED_BOOT + 1], NOT_SHOWN);
	assert_true(events_are_complete(EVENTS_OF_IMAGE));
	assert_true(events_are_complete(EVENTS_OF_PARAMETERS));
	assert_false(events_are_complete(EVENTS_OF_SYSEXTS));
	/*
	 * The failure hits one of two places. Calls 1 to 4 measure kernel and profile, the following ones the sections.
	 */
	for (unsigned n = 5; n <= 8; n++) {
		fault.call = CALL_EXTEND;
		fault.status = EFI_DEVICE_ERROR;
		fault.first = fault.last = n;
		run(&boots[UNIFIED_BOOT + 1], NOT_SHOWN, SAID_OUTSIDE);
		assert_false(events_are_complete(EVENTS_OF_IMAGE));
	}
	start(false, false);
	fault.call = CALL_NONE;
	run(&boots[UNIFIED_BOOT], NOT_SHOWN, SAID_OUTSIDE);
	assert_false(events_are_complete(EVENTS_OF_IMAGE));
}

/* The first cap fails. The cap at the end is a retry, and succeeds. */
static void cap_is_tried_again(void **state)
{
	(void)state;
	start(true, false);
	record_all_ways();
	boot_without_a_fault(&boots[2], NOT_SHOWN);
	fault.call = CALL_EXTEND;
	fault.status = EFI_DEVICE_ERROR;
	fault.first = 3;
	fault.last = 4;
	expect_ok(run(&boots[2], NOT_SHOWN, SAID_SEALED));
	assert_true(all_registers(is_closed));
	/* The retry fails as well, and so do the caps for the command line. */
	fault.last = 8;
	expect_refused(run(&boots[2], NOT_SHOWN, SAID_SEALED),
		       "the entry: expected PCR 9 measured, or at least capped, found neither");
	assert_false(is_closed(0, 9));
}

static void each_measurement_fails(void **state)
{
	(void)state;
	with_each_call_failing(CALL_EXTEND, false);
}

/* The call extends the register, and then returns an error. */
static void each_measurement_fails_afterwards(void **state)
{
	(void)state;
	with_each_call_failing(CALL_EXTEND, true);
}

static void each_allocation_fails(void **state)
{
	(void)state;
	with_each_call_failing(CALL_POOL, false);
}

static void each_look_for_the_protocol_fails(void **state)
{
	(void)state;
	with_each_call_failing(CALL_LOCATE, false);
}

static void register_of_a_guest_is_unknown(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	for (unsigned has_tpm = 0; has_tpm < 2; has_tpm++) {
		start(has_tpm, true);
		record_all_ways();
		for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
			boot_without_a_fault(&boots[i], NOT_SHOWN);
			try_calls(&boots[i], NOT_SHOWN, CALL_MAP);
		}
	}
	assert_in_range(boots_refused, 1, boots_tried - 1);
}

static void full_log_is_no_failure(void **state)
{
	(void)state;
	start(true, true);
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		boot_without_a_fault(&boots[i], NOT_SHOWN);
		fault.call = CALL_EXTEND;
		fault.status = EFI_VOLUME_FULL;
		fault.is_done = true;
		fault.first = 1;
		fault.last = UINT32_MAX;
		/* Firmware refuses a file that is not an application before it does anything else. */
		if (memcmp(boots[i].kernel, "MZ", 2) != 0)
			continue;
		expect_ok(run(&boots[i], NOT_SHOWN, REQUIRED | SAID_SEALED));
		assert_true(all_registers(is_true));
		assert_non_null(strstr(logged(), "the log is full"));
	}
}

/* With `call` always failing. */
static enum kexec_status run_with(enum call call, EFI_STATUS status, unsigned policy)
{
	fault.call = call;
	fault.status = status;
	fault.first = 1;
	fault.last = UINT32_MAX;
	return run(&boots[0], NOT_SHOWN, policy);
}

static void machine_without_a_tpm(void **state)
{
	(void)state;
	start(false, false);
	expect_ok(run_with(CALL_NONE, EFI_SUCCESS, SAID_OUTSIDE));
	expect_ok(run_with(CALL_NONE, EFI_SUCCESS, SAID_SEALED));
	assert_string_equal(logged(), "");
	expect_refused(run_with(CALL_NONE, EFI_SUCCESS, REQUIRED),
		       "measure: required by the entry: expected a TPM 2.0 or a confidential guest's registers, found "
		       "neither");
	/* The firmware has the protocol, but reports no TPM: there are no registers, either. */
	start(true, false);
	fault.denies_tpm = true;
	expect_ok(run_with(CALL_CAPABILITY, EFI_SUCCESS, SAID_SEALED));
	assert_string_equal(logged(), "");
	expect_refused(run_with(CALL_CAPABILITY, EFI_SUCCESS, REQUIRED), "found neither");
	fault.denies_tpm = false;
	expect_ok(run_with(CALL_NONE, EFI_SUCCESS, REQUIRED));
}

/* A TPM that might exist is used. If measuring fails as well, it counts as a failing TPM. */
static void tpm_that_does_not_say_whether_it_is_there(void **state)
{
	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[0], NOT_SHOWN);
	expect_ok(run_with(CALL_CAPABILITY, EFI_DEVICE_ERROR, REQUIRED | SAID_SEALED));
	assert_true(all_registers(is_true));
	expect_refused(run_with(CALL_LOCATE, EFI_OUT_OF_RESOURCES, SAID_SEALED),
		       "expected PCR 4 measured, or at least capped, found neither");
	expect_refused(run_with(CALL_LOCATE, EFI_OUT_OF_RESOURCES, REQUIRED), "found PCR 4 without one");
	expect_ok(run_with(CALL_LOCATE, EFI_OUT_OF_RESOURCES, SAID_OUTSIDE));
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		assert_true(says_warning_of(ours[i]));
}

/* edk2 reports no TPM once a command has failed. */
static void tpm_that_is_denied_once_it_has_failed(void **state)
{
	(void)state;
	start(true, false);
	record_all_ways();
	for (unsigned n = 2; n < 8; n++) {
		boot_without_a_fault(&boots[2], NOT_SHOWN);
		fault.call = CALL_CAPABILITY;
		fault.denies_tpm = true;
		fault.first = n;
		fault.last = UINT32_MAX;
		try_policies(&boots[2], NOT_SHOWN);
		fault.denies_tpm = false;
	}
	assert_in_range(boots_refused, 1, boots_tried - 1);
}

/* The kernel then counts as measured, except if measurements are required. */
static void log_that_does_not_tell(void **state)
{
	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[0], SHOWN);
	fault.call = CALL_LOG;
	fault.status = EFI_DEVICE_ERROR;
	fault.first = 1;
	fault.last = UINT32_MAX;
	expect_ok(run(&boots[0], SHOWN, SAID_SEALED));
	assert_true(all_registers(is_true));
	expect_refused(run(&boots[0], SHOWN, REQUIRED),
		       "expected a log that shows the kernel in PCR 4, found one that cannot tell");
	/* If the platform is not asked, the log does not matter. */
	expect_ok(run(&boots[0], NOT_SHOWN, REQUIRED));
}

/* After a refusal, register 11 belongs to the next loader. */
static void refusal_leaves_what_is_not_ours(void **state)
{
	(void)state;
	start(true, false);
	boot_without_a_fault(&boots[0], NOT_SHOWN);
	fault.call = CALL_EXTEND;
	fault.status = EFI_DEVICE_ERROR;
	fault.first = fault.last = 2;
	expect_refused(run(&boots[0], NOT_SHOWN, REQUIRED), "found PCR 12 without one");
	expect_extended(places[0].registers[11], NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_are_told_apart),
		cmocka_unit_test(both_are_measured_into),
		cmocka_unit_test(registers_without_a_measurement),
		cmocka_unit_test(unified_image),
		cmocka_unit_test(initrd_added_to_a_unified_image),
		cmocka_unit_test(kernel_measured_as_an_image),
		cmocka_unit_test(groups_that_are_complete),
		cmocka_unit_test(entry_refused_before_it_is_measured),
		cmocka_unit_test(entry_refused_once_it_is_measured),
		cmocka_unit_test(kernel_refused_by_the_platform),
		cmocka_unit_test(kernels_of_both_entries_are_logged),
		cmocka_unit_test(what_was_missed_stays_missed),
		cmocka_unit_test(error_that_caps),
		cmocka_unit_test(cap_is_tried_again),
		cmocka_unit_test(each_measurement_fails),
		cmocka_unit_test(each_measurement_fails_afterwards),
		cmocka_unit_test(each_allocation_fails),
		cmocka_unit_test(each_look_for_the_protocol_fails),
		cmocka_unit_test(register_of_a_guest_is_unknown),
		cmocka_unit_test(full_log_is_no_failure),
		cmocka_unit_test(machine_without_a_tpm),
		cmocka_unit_test(tpm_that_does_not_say_whether_it_is_there),
		cmocka_unit_test(tpm_that_is_denied_once_it_has_failed),
		cmocka_unit_test(log_that_does_not_tell),
		cmocka_unit_test(refusal_leaves_what_is_not_ours),
	};

	return run_named_tests(tests);
}
