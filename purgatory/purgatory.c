// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs between firmware and kernel: hashes every region once more and lets only what the loader hashed go on. The
 * pattern, and the names that the loader sets, are those of the kernel's arch/x86/purgatory/purgatory.c.
 */
#include "common/align.h"
#include "common/cpu.h"
#include "common/digest_text.h"
#include "common/format.h"
#include "common/mismatch_note.h"
#include "common/purgatory_abi.h"
#include "common/serial.h"
#include "common/sha256.h"
#include "common/string.h"
#include "purgatory/framebuffer.h"
#include "purgatory/runtime.h"
#include "purgatory/verdict.h"

PURGATORY_DIGESTS uint8_t purgatory_sha256_digest[SHA256_DIGEST_SIZE];
PURGATORY_DIGESTS uint8_t purgatory_running_digests[KEXEC_SEGMENT_MAX][SHA256_DIGEST_SIZE];
PURGATORY_DATA struct sha_region purgatory_sha_regions[KEXEC_SEGMENT_MAX];
PURGATORY_DATA char purgatory_region_names[KEXEC_SEGMENT_MAX][REGION_NAME_SIZE];
PURGATORY_DATA struct kernel_entry purgatory_kernel_entry;
PURGATORY_DATA struct purgatory_policy purgatory_policy;
PURGATORY_LATE struct purgatory_clock purgatory_clock;

void purgatory_verify(struct verdict *ret_verdict)
{
	struct verdict verdict = { .match = true, .region = KEXEC_SEGMENT_MAX };
	struct sha256 state;

	sha256_start(&state);
	for (size_t i = 0; i < KEXEC_SEGMENT_MAX; i++) {
		const struct sha_region *region = &purgatory_sha_regions[i];

		sha256_update(&state, phys_to_ptr(region->start), region->len);
		sha256_digest(&state, verdict.found);
		if (verdict.match && !sha256_equal(verdict.found, purgatory_running_digests[i])) {
			verdict.match = false;
			verdict.region = i;
		}
	}
	/*
	 * The last running digest is the digest of all. If it is as expected, every region is, and what differed above
	 * was the record, not the region.
	 */
	if (sha256_equal(verdict.found, purgatory_sha256_digest))
		verdict.region = KEXEC_SEGMENT_MAX;
	else
		verdict.match = false;
	*ret_verdict = verdict;
}

/* The region that changed. If none did, the digests have: they are the purgatory's own. */
static const char *region_name(const struct verdict *verdict)
{
	static const char own[REGION_NAME_SIZE] = "purgatory";

	return verdict->region < KEXEC_SEGMENT_MAX ? purgatory_region_names[verdict->region] : own;
}

/* To whoever is looking, wherever that is. */
static void say(const char *text)
{
	serial_write(text);
	screen_write(text);
}

static void report(const struct verdict *verdict)
{
	struct sha_region region = {
		.start = (uintptr_t)purgatory_sha256_digest,
		.len = sizeof(purgatory_sha256_digest),
	};
	char line[256];
	char expected[DIGEST_TEXT_SIZE];
	char found[DIGEST_TEXT_SIZE];

	format_digest(expected, purgatory_sha256_digest);
	format_digest(found, verdict->found);

	if (verdict->region < KEXEC_SEGMENT_MAX)
		region = purgatory_sha_regions[verdict->region];
	format_text(line, sizeof(line), "purgatory: digest mismatch in %.*s (0x%lx bytes at 0x%lx)\n", REGION_NAME_SIZE,
		    region_name(verdict), region.len, region.start);
	say(line);
	format_text(line, sizeof(line), "purgatory: expected sha256 %s, found %s\n", expected, found);
	say(line);
}

/* For the next start, which tells the user: nobody may have been looking at the serial line. */
static bool remember(const struct verdict *verdict)
{
	struct mismatch_record record = {
		.version = MISMATCH_RECORD_VERSION,
		.on_mismatch = (uint32_t)purgatory_policy.on_mismatch,
	};

	memcpy(record.region, region_name(verdict), sizeof(record.region));
	memcpy(record.expected, purgatory_sha256_digest, sizeof(record.expected));
	memcpy(record.found, verdict->found, sizeof(record.found));
	if (firmware_remember(&record))
		return true;
	say("purgatory: the firmware did not take a note of this\n");
	return false;
}

/* A reset that nothing remembers would be one of many: without the note there is none. */
static _Noreturn void stop(bool is_remembered)
{
	if (purgatory_policy.on_mismatch == ON_MISMATCH_RESET && is_remembered) {
		say("purgatory: the kernel was not started; resetting\n");
		firmware_reset();
	}
	say("purgatory: the kernel was not started; halted\n");
	cpu_halt();
}

/* In the form of the loader's own table of times, which ended when the console did. */
static void report_time(const char *phase, uint64_t ticks)
{
	uint64_t usec = ticks * 1000 / purgatory_clock.ticks_per_msec;
	char line[64];

	format_text(line, sizeof(line), "purgatory: time %s %lu.%03lu ms\n", phase, usec / 1000, usec % 1000);
	serial_write(line);
}

static void report_success(uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;
	char line[64];

	for (size_t i = 0; i < KEXEC_SEGMENT_MAX; i++)
		bytes += purgatory_sha_regions[i].len;
	report_time("exit", start - purgatory_clock.exit_ticks);
	report_time("verify", end - start);
	format_text(line, sizeof(line), "purgatory: verified %lu bytes\n", bytes);
	serial_write(line);
}

/* Called by start.asm, which enters the kernel if this returns. */
void purgatory(void);

void purgatory(void)
{
	uint64_t start = cpu_ticks();
	struct verdict verdict;

	purgatory_verify(&verdict);
	if (!verdict.match) {
		report(&verdict);
		stop(remember(&verdict));
	}
	if (purgatory_clock.ticks_per_msec)
		report_success(start, cpu_ticks());
}
