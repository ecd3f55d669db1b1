// SPDX-License-Identifier: BSD-2-Clause
/*
 * Measuring, on a TPM that fails at every one of its calls. What counts is what the registers can still become: one
 * whose events are the beginning of another boot's can be made into that boot's.
 */
#include "efi/trust/measure.h"

#include "common/sha256.h"
#include "efi/services/firmware.h"
#include "efi/trust/tpm.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

#define REGISTERS 24
#define EVENTS_MAX 8

enum failure {
	FAILS_NEVER,
	FAILS_ONCE,
	FAILS_TWICE,	/* and so does what comes next, the cap */
	FAILS_FROM_NOW, /* and so does everything after it */
};

static struct {
	enum failure failure;
	unsigned at; /* the call that fails first, counted from 1 */
	EFI_STATUS with;
	unsigned calls; /* so far */
	bool has_protocol;
	bool has_no_tpm;
	bool capability_fails;
	bool no_flags; /* a PE image is refused as such */

	uint8_t digests[REGISTERS][EVENTS_MAX][SHA256_DIGEST_SIZE];
	unsigned counts[REGISTERS];
} tpm;

static bool fails_now(void)
{
	unsigned call = ++tpm.calls;

	switch (tpm.failure) {
	case FAILS_ONCE:
		return call == tpm.at;
	case FAILS_TWICE:
		return call == tpm.at || call == tpm.at + 1;
	case FAILS_FROM_NOW:
		return call >= tpm.at;
	default:
		return false;
	}
}

static EFI_STATUS EFIAPI get_capability(struct measurement_protocol *this, void *capability)
{
	uint8_t *bytes = capability;

	(void)this;
	if (tpm.capability_fails)
		return EFI_DEVICE_ERROR;
	bytes[16] = !tpm.has_no_tpm;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_event_log(struct measurement_protocol *this, UINT32 format, EFI_PHYSICAL_ADDRESS *ret_log,
				       EFI_PHYSICAL_ADDRESS *ret_last, BOOLEAN *ret_truncated)
{
	(void)this;
	(void)format;
	(void)ret_log;
	(void)ret_last;
	(void)ret_truncated;
	return EFI_UNSUPPORTED;
}

/* EFI_TCG2_EVENT */
struct __attribute__((packed)) event {
	uint32_t size;
	uint32_t header_size;
	uint16_t version;
	uint32_t pcr;
	uint32_t type;
	uint8_t data[];
};

static EFI_STATUS EFIAPI hash_log_extend_event(struct measurement_protocol *this, UINT64 flags,
					       EFI_PHYSICAL_ADDRESS bytes, UINT64 size, const void *raw)
{
	const struct event *event = raw;

	(void)this;
	assert_int_equal(event->header_size, 14);
	assert_int_equal(event->version, 1);
	assert_in_range(event->pcr, 0, REGISTERS - 1);
	if (flags && tpm.no_flags)
		return EFI_UNSUPPORTED;
	if (fails_now())
		return tpm.with;
	assert_in_range(tpm.counts[event->pcr], 0, EVENTS_MAX - 1);
	sha256_of((const void *)(uintptr_t)bytes, size, tpm.digests[event->pcr][tpm.counts[event->pcr]++]);
	/* A separator's data is its value. */
	if (event->type == 4)
		assert_true(event->size == sizeof(*event) + 4 && size == 4 &&
			    memcmp(event->data, (const void *)(uintptr_t)bytes, 4) == 0);
	return EFI_SUCCESS;
}

static struct measurement_protocol protocol = {
	.get_capability = get_capability,
	.get_event_log = get_event_log,
	.hash_log_extend_event = hash_log_extend_event,
};

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, VOID *registration, VOID **ret_interface)
{
	(void)registration;
	if (!tpm.has_protocol || guid->Data1 != 0x607f766c)
		return EFI_NOT_FOUND;
	*ret_interface = &protocol;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *text)
{
	(void)seconds;
	(void)code;
	(void)size;
	(void)text;
	return EFI_SUCCESS;
}

/* --- one boot --- */

static const char kernel_file[] = "a kernel";
static char initrd_bytes[] = "an initrd";
static char line_bytes[] = "a command line";
static const char entry_text[] = "linux /a\n";

struct options {
	bool is_sealed;
	bool is_required;
	bool has_initrd;
};

static enum kexec_status measure(const struct options *options)
{
	struct boot_plan plan = {
		.said_by = "/my.conf",
		.text = { .start = entry_text, .length = strlen(entry_text) },
		.kernel = { .name = "/a", .trust = options->is_sealed ? TRUST_IMAGE : TRUST_PLATFORM },
		.require_measurement = options->is_required,
	};
	const struct kexec_segment initrd = { .mem = (uintptr_t)initrd_bytes, .bufsz = strlen(initrd_bytes) };
	const struct kexec_segment line = { .mem = (uintptr_t)line_bytes, .bufsz = sizeof(line_bytes) };
	const struct kernel kernel = {
		.part = &plan.kernel,
		.file = (const uint8_t *)kernel_file,
		.file_size = strlen(kernel_file),
	};

	fake_firmware.pool_calls = 0;
	firmware_boot_services->LocateProtocol = locate_protocol;
	firmware_boot_services->SetWatchdogTimer = set_watchdog;
	log_clear();
	measure_start();
	measure_kernel(&kernel, false);
	measure_rest(&plan, options->has_initrd ? &initrd : NULL, &line);
	return measure_check(&plan);
}

static void start(void)
{
	fake_firmware_start(NULL, 0);
	memset(&tpm, 0, sizeof(tpm));
	tpm.has_protocol = true;
	tpm.with = EFI_DEVICE_ERROR;
}

/* --- the registers --- */

static bool is_digest(unsigned pcr, unsigned number, const void *bytes, size_t size)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_of(bytes, size, digest);
	return number < tpm.counts[pcr] && memcmp(tpm.digests[pcr][number], digest, sizeof(digest)) == 0;
}

static bool is_capped(unsigned pcr)
{
	for (unsigned i = 0; i < tpm.counts[pcr]; i++) {
		if (is_digest(pcr, i, "\1\0\0", 4))
			return true;
	}
	return false;
}

/* How many events a boot has that went well. */
static unsigned whole(unsigned pcr)
{
	return pcr == 12 ? 2 : 1;
}

/* Nothing that is extended from here on gives a value that another boot has. */
static bool is_settled(unsigned pcr)
{
	return is_capped(pcr) || tpm.counts[pcr] >= whole(pcr);
}

static const unsigned ours[] = { 4, 9, 11, 12 };

static bool all_are_settled(void)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (!is_settled(ours[i]))
			return false;
	}
	return true;
}

static void expect_measured(bool has_initrd)
{
	uint16_t wide[sizeof(line_bytes)];

	for (size_t i = 0; i < sizeof(line_bytes); i++)
		wide[i] = (uint8_t)line_bytes[i];
	for (unsigned pcr = 0; pcr < REGISTERS; pcr++) {
		bool is_ours = pcr == 4 || pcr == 9 || pcr == 11 || pcr == 12;

		assert_int_equal(tpm.counts[pcr], is_ours ? whole(pcr) : 0);
		assert_false(is_capped(pcr));
	}
	assert_true(is_digest(4, 0, kernel_file, strlen(kernel_file)));
	if (has_initrd)
		assert_true(is_digest(9, 0, initrd_bytes, strlen(initrd_bytes)));
	else
		assert_true(is_digest(9, 0, "\0\0\0", 4));
	assert_true(is_digest(11, 0, "\0\0\0", 4));
	assert_true(is_digest(12, 0, entry_text, strlen(entry_text)));
	assert_true(is_digest(12, 1, wide, sizeof(wide)));
}

/* All combinations of options, by number. */
#define OPTIONS_COUNT 8

static struct options options_of(unsigned number)
{
	return (struct options){
		.is_sealed = number & 1,
		.is_required = number & 2,
		.has_initrd = number & 4,
	};
}

static void all_goes_well(void **state)
{
	(void)state;
	for (unsigned number = 0; number < OPTIONS_COUNT; number++) {
		struct options options = options_of(number);

		for (int variant = 0; variant < 3; variant++) {
			start();
			tpm.no_flags = variant == 1;
			tpm.capability_fails = variant == 2;
			expect_ok(measure(&options));
			expect_measured(options.has_initrd);
			assert_int_equal(fake_firmware.pool_held, 0);
		}
	}
}

/* Every call fails in turn, in every way. */
static void nothing_can_be_made_of_what_is_left(void **state)
{
	static const EFI_STATUS errors[] = { EFI_DEVICE_ERROR, EFI_NOT_FOUND, EFI_OUT_OF_RESOURCES,
					     EFI_INVALID_PARAMETER, EFI_UNSUPPORTED };
	unsigned failed = 0;

	(void)state;
	for (unsigned number = 0; number < OPTIONS_COUNT; number++) {
		struct options options = options_of(number);

		for (enum failure failure = FAILS_ONCE; failure <= FAILS_FROM_NOW; failure++) {
			for (unsigned at = 1;; at++) {
				enum kexec_status status;

				start();
				tpm.failure = failure;
				tpm.at = at;
				tpm.with = errors[at % 5];
				status = measure(&options);
				/* It failed no more. */
				if (tpm.calls < at)
					break;
				/* The kernel, hashed in another way, is no failure. */
				if (at == 1 && failure == FAILS_ONCE &&
				    (tpm.with == EFI_UNSUPPORTED || tpm.with == EFI_INVALID_PARAMETER))
					continue;
				failed++;
				assert_int_equal(status == KEXEC_DENIED,
						 options.is_required || (options.is_sealed && !all_are_settled()));
				assert_true(failure == FAILS_FROM_NOW || all_are_settled());
				if (!options.is_required)
					assert_int_equal(all_are_settled(),
							 !strstr(logged(), "could still become anything"));
				assert_non_null(strstr(logged(), "warning: TPM: cannot measure the "));
				assert_int_equal(fake_firmware.pool_held, 0);
			}
		}
	}
	/* Six calls, with an initrd or without: each in three ways but for the last of two. */
	assert_true(failed >= OPTIONS_COUNT * 3 * 4);
}

static void no_memory_for_an_event(void **state)
{
	(void)state;
	for (unsigned number = 0; number < OPTIONS_COUNT; number++) {
		struct options options = options_of(number);

		for (unsigned at = 1; at <= 5; at++) {
			start();
			fake_firmware.pool_fails_at = at;
			measure(&options);
			assert_true(all_are_settled());
			assert_int_equal(fake_firmware.pool_held, 0);
		}
	}
}

/* The register was extended all the same. */
static void log_that_is_full(void **state)
{
	struct options options = { .is_sealed = true, .is_required = true, .has_initrd = true };

	(void)state;
	start();
	tpm.failure = FAILS_FROM_NOW;
	tpm.at = 1;
	tpm.with = EFI_VOLUME_FULL;
	expect_ok(measure(&options));
	assert_non_null(strstr(logged(), "the log is full"));
}

static void no_tpm(void **state)
{
	(void)state;
	for (unsigned number = 0; number < OPTIONS_COUNT; number++) {
		struct options options = options_of(number);

		start();
		tpm.has_protocol = number % 2;
		tpm.has_no_tpm = true;
		if (options.is_required)
			expect_error(measure(&options), KEXEC_DENIED,
				     "measurement: required by /my.conf: expected all of it in the TPM, found no TPM");
		else
			expect_ok(measure(&options));
		assert_int_equal(tpm.calls, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_goes_well),
		cmocka_unit_test(nothing_can_be_made_of_what_is_left),
		cmocka_unit_test(no_memory_for_an_event),
		cmocka_unit_test(log_that_is_full),
		cmocka_unit_test(no_tpm),
	};

	return run_named_tests(tests);
}
