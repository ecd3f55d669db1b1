// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs between firmware and kernel: hashes every region once more, and returns only if every digest is the loader's.
 * The pattern, and the names that the loader sets, are those of the kernel's arch/x86/purgatory/purgatory.c.
 */
#include "common/align.h"
#include "common/cpu.h"
#include "common/digest_text.h"
#include "common/format.h"
#include "common/purgatory_abi.h"
#include "common/region.h"
#include "common/serial.h"
#include "common/stop_note.h"
#include "common/string.h"
#include "purgatory/changed_pages.h"
#include "purgatory/handler.h"
#include "purgatory/moved_kernel.h"
#include "purgatory/stop.h"
#include "purgatory/verdict.h"

PURGATORY_DIGESTS uint8_t purgatory_sha256_digest[SHA256_DIGEST_SIZE];
PURGATORY_DIGESTS uint8_t purgatory_region_digests[REGION_MAX][SHA256_DIGEST_SIZE];
PURGATORY_DATA struct sha_region purgatory_sha_regions[REGION_MAX];
PURGATORY_DATA char purgatory_region_names[REGION_MAX][REGION_NAME_SIZE];
PURGATORY_DATA struct kernel_entry purgatory_kernel_entry;
PURGATORY_DATA struct purgatory_policy purgatory_policy;
PURGATORY_LATE struct purgatory_clock purgatory_clock;

/* Digests of the regions' present content. */
static uint8_t found_digests[REGION_MAX][SHA256_DIGEST_SIZE];

static uint64_t verified_bytes;

static void hash_region(size_t i)
{
	static struct fsverity state;

	exception_set_region(i);
	region_digest_now(&state, &purgatory_sha_regions[i], found_digests[i]);
	verified_bytes += purgatory_sha_regions[i].len;
}

static void hash_regions(bool moved_only)
{
	for (size_t i = 0; i < REGION_MAX; i++) {
		const struct sha_region *region = &purgatory_sha_regions[i];

		if (region->len && (!moved_only || region_is_moved(region)))
			hash_region(i);
	}
	exception_set_region(REGION_MAX);
}

/* The first region that differs from its record; REGION_MAX: none. */
static size_t first_difference(void)
{
	size_t i = 0;

	while (i < REGION_MAX && sha256_equal(found_digests[i], purgatory_region_digests[i]))
		i++;
	return i;
}

static void judge(struct verdict *ret_verdict)
{
	const uint8_t *expected = purgatory_sha256_digest;
	uint8_t total[SHA256_DIGEST_SIZE];
	const uint8_t *found = total;
	bool total_matches;
	size_t differing;

	region_list_digest(purgatory_sha_regions, found_digests, total);
	total_matches = sha256_equal(total, purgatory_sha256_digest);
	differing = first_difference();
	ret_verdict->match = total_matches && differing == REGION_MAX;
	if (differing < REGION_MAX) {
		expected = purgatory_region_digests[differing];
		found = found_digests[differing];
	}
	/* If the list's digest matches, every region is unchanged, so a recorded digest is wrong. */
	ret_verdict->is_record = total_matches && differing < REGION_MAX;
	ret_verdict->region = total_matches ? REGION_MAX : differing;
	memcpy(ret_verdict->expected, expected, SHA256_DIGEST_SIZE);
	memcpy(ret_verdict->found, found, SHA256_DIGEST_SIZE);
}

void purgatory_verify(struct verdict *ret_verdict)
{
	memset(found_digests, 0, sizeof(found_digests));
	hash_regions(false);
	judge(ret_verdict);
	ret_verdict->is_copy = false;
}

/* Everything outside the moved range was verified just before. */
void purgatory_move(struct verdict *ret_verdict)
{
	move_kernel();
	hash_regions(true);
	judge(ret_verdict);
	ret_verdict->is_copy = true;
}

/* The region that changed. If no region did, the digests changed, and they belong to the purgatory. */
static const char *region_name(const struct verdict *verdict)
{
	static const char own[REGION_NAME_SIZE] = "purgatory";
	static const char copy[REGION_NAME_SIZE] = "kernel_copy";

	if (verdict->is_copy)
		return copy;
	return verdict->region < REGION_MAX ? purgatory_region_names[verdict->region] : own;
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

	format_digest(expected, verdict->expected);
	format_digest(found, verdict->found);

	if (verdict->region < REGION_MAX)
		region = purgatory_sha_regions[verdict->region];
	if (verdict->is_copy)
		region = (struct sha_region){ purgatory_kernel_move.to, purgatory_kernel_move.size };
	format_text(line, sizeof(line), "purgatory: digest mismatch in %.*s (0x%lx bytes at 0x%lx)\n", REGION_NAME_SIZE,
		    region_name(verdict), region.len, region.start);
	say(line);
	format_text(line, sizeof(line), "purgatory: expected %s %s, found %s\n",
		    verdict->region < REGION_MAX || verdict->is_record ? "fsverity" : "sha256", expected, found);
	say(line);
}

/* Whether the byte at the address is in a region that was hashed and has not changed. */
static bool is_unchanged(uint64_t address)
{
	for (size_t i = 0; i < REGION_MAX; i++) {
		const struct sha_region *region = &purgatory_sha_regions[i];

		if (address >= region->start && address - region->start < region->len)
			return sha256_equal(found_digests[i], purgatory_region_digests[i]);
	}
	return false;
}

/* Names the pages that changed, if the loader kept a record of them. */
static void examine(const struct verdict *verdict, struct page_findings *ret_findings)
{
	const struct sha_region *region = &purgatory_sha_regions[verdict->region];
	const struct page_range *range;

	if (verdict->region == REGION_MAX)
		return;
	range = find_page_range(region);
	if (!range)
		return;
	if (!is_unchanged((uintptr_t)range) || !is_unchanged(range->sums)) {
		say("purgatory: no page can be named: the record of pages cannot be trusted either\n");
		return;
	}
	find_changed_pages(region, range, ret_findings);
	report_changed_pages(ret_findings);
}

/* For the next start, which shows it to the user: perhaps nobody was watching the serial line. */
static struct stop_note note_of(const struct verdict *verdict)
{
	struct stop_note note = { .kind = STOP_MISMATCH };

	memcpy(note.region, region_name(verdict), sizeof(note.region));
	memcpy(note.digests.expected, verdict->expected, sizeof(note.digests.expected));
	memcpy(note.digests.found, verdict->found, sizeof(note.digests.found));
	return note;
}

/* In the format of the loader's table of times, which ends when the firmware's console is gone. */
static void report_time(const char *phase, uint64_t ticks)
{
	uint64_t usec = ticks * 1000 / purgatory_clock.ticks_per_msec;
	char line[64];

	format_text(line, sizeof(line), "purgatory: time %s %lu.%03lu ms\n", phase, usec / 1000, usec % 1000);
	serial_write(line);
}

static void report_success(uint64_t start, uint64_t end)
{
	char line[64];

	report_time("exit", start - purgatory_clock.exit_ticks);
	report_time("verify", end - start);
	format_text(line, sizeof(line), "purgatory: verified %lu bytes\n", verified_bytes);
	serial_write(line);
}

static void stop_unless_match(const struct verdict *verdict)
{
	struct stop_note note;

	if (verdict->match)
		return;
	note = note_of(verdict);
	report(verdict);
	examine(verdict, &note.digests.pages);
	stop(&note);
}

/* Called by start.asm, which enters the kernel if this returns. */
void purgatory(void);

void purgatory(void)
{
	uint64_t start = cpu_ticks();
	struct verdict verdict;

	purgatory_verify(&verdict);
	stop_unless_match(&verdict);
	if (purgatory_kernel_move.size) {
		purgatory_move(&verdict);
		stop_unless_match(&verdict);
	}
	if (purgatory_clock.ticks_per_msec)
		report_success(start, cpu_ticks());
	exception_expect_kernel();
}
