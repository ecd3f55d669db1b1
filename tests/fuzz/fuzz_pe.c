// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds loaded images and signed files to boot/pe.c. Checks that edk2 and shim hash the bytes that boot/pe.c calls
 * signed.
 */
#include "boot/pe.h"

#include <stdio.h>

#include "boot/kernel_format.h"
#include "tests/fuzz/hashed_by.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/signed_kernel.h"

static bool read_at(const uint8_t *bytes, size_t size, uint64_t offset, void *ret_value, size_t value_size)
{
	if (offset + value_size > size)
		return false;
	memcpy(ret_value, bytes + offset, value_size);
	return true;
}

/* The expected result of pe_find_section. Offsets are numbers (PE/COFF specification, sections 3 and 4). */
static bool expected_section(const uint8_t *bytes, size_t size, enum pe_layout layout, const char *name,
			     struct text *ret_content)
{
	char padded[8] = { 0 };
	uint8_t coff[24];
	uint16_t count;
	uint16_t optional_size;
	uint32_t offset;

	memcpy(padded, name, strlen(name));
	if (!read_at(bytes, size, 0x3c, &offset, 4) || !read_at(bytes, size, offset, coff, sizeof(coff)) ||
	    memcmp(bytes, "MZ", 2) != 0 || memcmp(coff, "PE\0\0", 4) != 0)
		return false;
	memcpy(&count, coff + 6, 2);
	memcpy(&optional_size, coff + 20, 2);
	if ((uint64_t)offset + 24 + optional_size + count * 40ull > size)
		return false;
	for (const uint8_t *header = bytes + offset + 24 + optional_size; count; count--, header += 40) {
		uint32_t place[4]; /* size and offset in memory, then in the file */
		uint32_t start;
		uint32_t length;

		if (memcmp(header, padded, 8) != 0)
			continue;
		memcpy(place, header + 8, sizeof(place));
		start = layout == PE_LOADED ? place[1] : place[3];
		length = layout == PE_LOADED || place[0] < place[2] ? place[0] : place[2];
		if ((uint64_t)start + length > size)
			start = length = 0;
		*ret_content = (struct text){ .start = (const char *)bytes + start, .length = length };
		return true;
	}
	return false;
}

static void check_sections(const uint8_t *bytes, size_t size, enum pe_layout layout)
{
	static const char *const names[] = { ".entry", ".linux", ".initrd", ".cmdline", ".text", ".rodata" };
	const struct pe_image image = { .bytes = bytes, .size = size, .layout = layout };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text content = { 0 };
		struct text expected = { 0 };

		assert(pe_find_section(&image, names[i], &content) ==
		       expected_section(bytes, size, layout, names[i], &expected));
		assert(content.start == expected.start && content.length == expected.length);
	}
}

/* A byte is covered if and only if an agreed range contains it. No range lies outside the file. */
static void check_signed_ranges(const uint8_t *bytes, size_t size)
{
	struct pe_signed_ranges ranges;

	pe_signed_ranges(bytes, size, &ranges);
	for (size_t i = 0; i < ranges.count; i++)
		assert(ranges.list[i].start < ranges.list[i].end && ranges.list[i].end <= size);
	for (uint64_t offset = 0; offset < size; offset += 1 + size / 256) {
		bool covered = false;

		for (size_t i = 0; i < ranges.agreed_count; i++)
			covered |= ranges.list[i].start <= offset && offset < ranges.list[i].end;
		assert((pe_signed_until(bytes, size, offset) > offset) == covered);
	}
}

/* --- edk2 and shim hash the bytes that boot/pe.c calls signed --- */

/* How many inputs reached which step: without these numbers, a run without findings says little. */
static struct {
	uint64_t inputs;
	uint64_t hashed[2]; /* images, by edk2 and by shim */
	uint64_t accepted[2];
	uint64_t kernels; /* kernels that would run: a plan was made, and their signature covers them */
	uint64_t kernels_accepted[2];
} reached;

static void print_reached(void)
{
	(void)fprintf(
		stderr,
		"reached: %lu inputs; edk2 hashes %lu, accepts %lu; shim hashes %lu, accepts %lu; %lu signed kernels, "
		"of which edk2 accepts %lu, shim %lu\n",
		reached.inputs, reached.hashed[0], reached.accepted[0], reached.hashed[1], reached.accepted[1],
		reached.kernels, reached.kernels_accepted[0], reached.kernels_accepted[1]);
}

static const struct {
	bool (*hash)(const struct hashed_file *file, hash_sink *sink, void *context);
	bool (*accept)(const struct hashed_file *file);
	bool hashes_all; /* the platform hashes all listed ranges; otherwise only the agreed ones */
} platforms[2] = {
	{ hashed_by_edk2, accepted_by_edk2, true },
	{ hashed_by_shim, accepted_by_shim, false },
};

/* A map with one byte for each byte of the file. */
struct coverage {
	uint8_t *map;
	uint64_t size;
};

static void mark(void *context, uint64_t start, uint64_t length)
{
	const struct coverage *coverage = context;

	if (start > coverage->size)
		return;
	if (length > coverage->size - start)
		length = coverage->size - start;
	memset(coverage->map + start, 1, length);
}

static bool is_marked(const struct coverage *coverage, uint64_t start, uint64_t end)
{
	return end <= coverage->size && (start >= end || !memchr(coverage->map + start, 0, end - start));
}

/* Every byte of the ranges that boot/pe.c calls signed is hashed. */
static void check_claims(const uint8_t *bytes, size_t size, bool all, const struct coverage *coverage)
{
	struct pe_signed_ranges ranges;

	pe_signed_ranges(bytes, size, &ranges);
	assert(ranges.agreed_count <= ranges.count);
	for (size_t i = 0; i < (all ? ranges.count : ranges.agreed_count); i++)
		assert(is_marked(coverage, ranges.list[i].start, ranges.list[i].end));
}

/* The headers that define these ranges are hashed, except CheckSum and the directory of the certificates. */
static void check_headers(const uint8_t *bytes, const struct coverage *coverage)
{
	uint16_t section_count;
	uint16_t optional_size;
	uint32_t pe;

	memcpy(&pe, bytes + 0x3c, 4);
	memcpy(&section_count, bytes + pe + 6, 2);
	memcpy(&optional_size, bytes + pe + 20, 2);
	assert(is_marked(coverage, 0, pe + 24 + 64));
	assert(is_marked(coverage, pe + 24 + 68, pe + 24 + 144));
	assert(is_marked(coverage, pe + 24 + 152, pe + 24u + optional_size + section_count * 40u));
}

/* A kernel's bytes that run, or that Linux reads, are hashed (boot.rst; offsets are numbers). */
static void check_kernel(const uint8_t *bytes, const struct coverage *coverage)
{
	uint64_t setup_size = (bytes[0x1f1] ? bytes[0x1f1] + 1u : 5u) * 512;
	uint32_t syssize;
	uint64_t end;

	memcpy(&syssize, bytes + 0x1f4, 4);
	assert(is_marked(coverage, 0x1f1, 0x202u + bytes[0x201]));
	/* The last paragraph need not be complete. */
	end = setup_size + syssize * 16ull;
	if (end > coverage->size && end - coverage->size < 16)
		end = coverage->size;
	assert(is_marked(coverage, setup_size, end));
}

/* Whether the loader would run this file if the platform accepted it. */
static bool would_run(const uint8_t *bytes, size_t size)
{
	const struct kernel_probe probe = {
		.name = "kernel",
		.bytes = bytes,
		.size = size < KERNEL_PROBE_SIZE ? size : KERNEL_PROBE_SIZE,
		.file_size = size,
	};
	struct kernel_plan plan;

	return !kernel_plan_file(&probe, &plan) && !kernel_check_signed("kernel", &plan, bytes, size);
}

static void check_who_hashes(const uint8_t *bytes, size_t size)
{
	const struct hashed_file file = { .bytes = bytes, .readable = size, .size = size };
	bool runs = would_run(bytes, size);

	reached.kernels += runs;
	for (size_t i = 0; i < 2; i++) {
		struct coverage coverage = { .map = calloc(1, size + 1), .size = size };

		assert(coverage.map);
		if (platforms[i].hash(&file, mark, &coverage)) {
			bool accepted = platforms[i].accept(&file);

			reached.hashed[i]++;
			reached.accepted[i] += accepted;
			reached.kernels_accepted[i] += runs && accepted;
			/*
			 * Checked even if the models reject the file: an implementation without their checks relies on
			 * ours.
			 */
			check_claims(bytes, size, platforms[i].hashes_all, &coverage);
			if (accepted)
				check_headers(bytes, &coverage);
			if (runs)
				check_kernel(bytes, &coverage);
		}
		free(coverage.map);
	}
}

/* --- libFuzzer --- */

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t capacity);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t capacity, unsigned int seed);

/* A third of the inputs are libFuzzer's own, a third are damaged inputs, and a third are damaged good kernels. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t capacity, unsigned int seed)
{
	struct dice dice = { .state = seed };
	uint32_t way = dice_roll(&dice, 3);

	if (way == 0 || capacity < SIGNED_KERNEL_SIZE_MAX)
		return LLVMFuzzerMutate(bytes, size, capacity);
	if (way == 1)
		size = signed_kernel_make(&dice, bytes);
	for (uint32_t count = dice_roll(&dice, 4); count; count--)
		size = signed_kernel_damage(&dice, bytes, size, capacity);
	return size;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return atexit(print_reached);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (uint64_t offset = 0; offset < size;) {
		uint64_t end = pe_signed_until(bytes, size, offset);

		assert(end >= offset && end <= size);
		offset = end + 1 + size / 64;
	}
	check_signed_ranges(bytes, size);
	reached.inputs++;
	check_who_hashes(bytes, size);
	check_sections(bytes, size, PE_LOADED);
	check_sections(bytes, size, PE_FILE);
	return 0;
}
