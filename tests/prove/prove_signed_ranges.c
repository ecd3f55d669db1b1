// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes that boot/pe.c calls signed. The file may have any bytes and any 64-bit size. Assumes that the headers lie
 * within the first HEADERS_MAX bytes, and that there are at most SECTIONS_BOUND sections.
 */
#include "boot/pe.c"
#include "tests/fuzz/hashed_by.h"
#include "tests/prove/prove.h"

/* The offset of a kernel's PE headers (arch/x86/boot/header.S). */
#define PE 0x40u
#define OPTIONAL_SIZE 0xa0u
#define RANGES_BOUND (3 + SECTIONS_BOUND + 1)
#define HEADERS_MAX (PE + 24 + OPTIONAL_SIZE + 40 * SECTIONS_BOUND + 96)

/* No function here writes to it. */
static uint8_t headers[HEADERS_MAX];

static uint64_t any_file(void)
{
	uint64_t size = any_u64();

	for (size_t i = 0; i < HEADERS_MAX; i++)
		headers[i] = any_u8();
	put_32(headers + 0x3c, PE);
	put_16(headers + PE + 20, OPTIONAL_SIZE);
	headers[PE + 6] = any_u8();
	headers[PE + 7] = 0;
	assume(headers[PE + 6] <= SECTIONS_BOUND);
	assume(size >= HEADERS_MAX);
	return size;
}

/* --- ranges are in the file and not empty; they are in order and disjoint if the sections are --- */

void prove_ranges(void)
{
	uint64_t size = any_file();
	struct pe_signed_ranges ranges;

	if (!pe_signed_ranges(headers, size, &ranges)) {
		prove(ranges.count == 0 && ranges.agreed_count == 0, "what is no image has no range");
		return;
	}
	prove(ranges.count <= 4 + SECTIONS_BOUND, "no more ranges than there is room for");
	prove(ranges.agreed_count <= ranges.count, "no range is agreed about that is not listed");
	for (size_t i = 0; i < ranges.count; i++)
		prove(ranges.list[i].start < ranges.list[i].end && ranges.list[i].end <= size,
		      "a range is not empty, and within the file");
}

/* --- each byte that is called signed is hashed --- */

struct question {
	uint64_t offset;
	bool hashed;
};

static void ask(void *context, uint64_t start, uint64_t length)
{
	struct question *question = context;

	question->hashed |= start <= question->offset && question->offset - start < length;
}

static bool any_claimed_byte(uint64_t size, bool all, struct question *question)
{
	struct pe_signed_ranges ranges;
	size_t i = any_u64();

	if (!pe_signed_ranges(headers, size, &ranges) || i >= (all ? ranges.count : ranges.agreed_count))
		return false;
	question->offset = any_u64();
	question->hashed = false;
	return ranges.list[i].start <= question->offset && question->offset < ranges.list[i].end;
}

void prove_edk2(void)
{
	const struct hashed_file file = { .bytes = headers, .readable = HEADERS_MAX, .size = any_file() };
	struct question question;

	if (!any_claimed_byte(file.size, true, &question) || !hashed_by_edk2(&file, ask, &question))
		return;
	prove(question.hashed, "edk2 hashes each byte that counts as signed");
}

void prove_shim(void)
{
	const struct hashed_file file = { .bytes = headers, .readable = HEADERS_MAX, .size = any_file() };
	struct question question;

	if (!any_claimed_byte(file.size, false, &question) || !hashed_by_shim(&file, ask, &question))
		return;
	prove(question.hashed, "shim hashes each byte that counts as signed");
}

/* --- a run of ranges, of any kind --- */

void prove_until(void)
{
	struct pe_signed_ranges ranges;
	uint64_t start = any_u64();
	uint64_t offset = any_u64();
	bool claimed = false;
	uint64_t end;

	assume(ranges.agreed_count <= RANGES_BOUND);
	end = covered_until(&ranges, start);
	prove(start <= end, "a run does not end ahead of its start");
	for (size_t i = 0; i < ranges.agreed_count; i++) {
		claimed |= ranges.list[i].start <= offset && offset < ranges.list[i].end;
		prove(end < ranges.list[i].start || end >= ranges.list[i].end, "a run goes on as far as ranges do");
	}
	prove(claimed || offset < start || offset >= end, "each byte of a run lies in a range");
}
