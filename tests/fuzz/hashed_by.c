// SPDX-License-Identifier: BSD-2-Clause
/* Models of the two hash functions. Numbers have the width of the originals, and wrap as they do. */
#include "tests/fuzz/hashed_by.h"

/* Offsets by the PE/COFF specification, section 3. Those behind the COFF header are relative to the optional header. */
enum {
	E_LFANEW = 0x3c,
	DOS_HEADER_SIZE = 0x40,
	NUMBER_OF_SECTIONS = 6,
	SIZE_OF_OPTIONAL_HEADER = 20,
	FILE_HEADER_END = 24,
	SIZE_OF_IMAGE = 56,
	SIZE_OF_HEADERS = 60,
	CHECK_SUM = 64,
	NUMBER_OF_RVA_AND_SIZES = 108,
	DATA_DIRECTORY = 112,
	SECURITY = DATA_DIRECTORY + 4 * 8,
	NT_HEADERS_SIZE = FILE_HEADER_END + DATA_DIRECTORY + 16 * 8, /* both read this much first */
	PE32_PLUS = 0x20b,

	VIRTUAL_SIZE = 8,
	VIRTUAL_ADDRESS = 12,
	SIZE_OF_RAW_DATA = 16,
	POINTER_TO_RAW_DATA = 20,
	CHARACTERISTICS = 36,
	SECTION_SIZE = 40,
};

#define UNINITIALIZED_DATA 0x00000080u
#define MEM_DISCARDABLE 0x02000000u

/* The fields used here, read once. */
struct headers {
	uint64_t optional; /* offset of the optional header */
	uint64_t table;	   /* of the section table */
	uint32_t optional_size;
	uint32_t section_count;
	uint32_t image_size;
	uint32_t headers_size;
	uint32_t directory_count;
	uint32_t security_address;
	uint32_t security_size;
};

static uint32_t number(const struct hashed_file *file, uint64_t offset, unsigned int width)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < width; i++)
		value |= (uint32_t)file->bytes[offset + i] << (8 * i);
	return value;
}

/* If this fails, neither hashes anything, because the headers are not in the file. */
static bool read_headers(const struct hashed_file *file, struct headers *ret_headers)
{
	uint64_t nt;

	if (file->readable < DOS_HEADER_SIZE || number(file, 0, 2) != 0x5a4d)
		return false;
	nt = number(file, E_LFANEW, 4);
	if (nt + NT_HEADERS_SIZE > file->readable || number(file, nt, 4) != 0x4550)
		return false;
	ret_headers->optional = nt + FILE_HEADER_END;
	if (number(file, ret_headers->optional, 2) != PE32_PLUS)
		return false;
	ret_headers->section_count = number(file, nt + NUMBER_OF_SECTIONS, 2);
	ret_headers->optional_size = number(file, nt + SIZE_OF_OPTIONAL_HEADER, 2);
	ret_headers->image_size = number(file, ret_headers->optional + SIZE_OF_IMAGE, 4);
	ret_headers->headers_size = number(file, ret_headers->optional + SIZE_OF_HEADERS, 4);
	ret_headers->directory_count = number(file, ret_headers->optional + NUMBER_OF_RVA_AND_SIZES, 4);
	ret_headers->security_address = number(file, ret_headers->optional + SECURITY, 4);
	ret_headers->security_size = number(file, ret_headers->optional + SECURITY + 4, 4);
	ret_headers->table = ret_headers->optional + ret_headers->optional_size;
	return ret_headers->table + (uint64_t)ret_headers->section_count * SECTION_SIZE <= file->readable;
}

static uint32_t section_field(const struct hashed_file *file, const struct headers *headers, uint32_t index,
			      uint32_t field)
{
	return number(file, headers->table + (uint64_t)index * SECTION_SIZE + field, 4);
}

/* --- edk2: UINTN is 64 bits wide --- */

bool hashed_by_edk2(const struct hashed_file *file, hash_sink *sink, void *context)
{
	struct headers headers;
	uint64_t check_sum;
	uint64_t rest;
	uint64_t sum;
	uint32_t certificates = 0;

	if (!read_headers(file, &headers))
		return false;
	check_sum = headers.optional + CHECK_SUM;
	sink(context, 0, check_sum);
	rest = check_sum + 4;
	if (headers.directory_count > 4) {
		sink(context, rest, headers.optional + SECURITY - rest);
		rest = headers.optional + SECURITY + 8;
		certificates = headers.security_size;
	}
	/* Otherwise the difference would wrap, and edk2's hash would run through all memory. */
	if (headers.headers_size < rest)
		return false;
	sink(context, rest, headers.headers_size - rest);

	sum = headers.headers_size;
	for (uint32_t i = 0; i < headers.section_count; i++) {
		uint32_t length = section_field(file, &headers, i, SIZE_OF_RAW_DATA);

		if (length == 0)
			continue;
		sink(context, section_field(file, &headers, i, POINTER_TO_RAW_DATA), length);
		sum += length;
	}

	/* edk2 ignores the place of the certificates: it leaves their size out at the end of the file. */
	if (file->size > sum) {
		if (file->size > certificates + sum)
			sink(context, sum, file->size - certificates - sum);
		else if (file->size < certificates + sum)
			return false;
	}
	return true;
}

static bool edk2_accepts_headers(const struct hashed_file *file, const struct headers *headers)
{
	uint32_t table = (uint32_t)headers->table;

	if (headers->directory_count > 16 || headers->optional_size - DATA_DIRECTORY != headers->directory_count * 8)
		return false;
	if (headers->image_size <= table || (headers->image_size - table) / SECTION_SIZE <= headers->section_count)
		return false;
	if (headers->headers_size <= table || headers->headers_size >= headers->image_size ||
	    (headers->headers_size - table) / SECTION_SIZE < headers->section_count)
		return false;
	if (headers->headers_size > file->size)
		return false;
	if (headers->directory_count > 4 && headers->security_size != 0) {
		if (UINT32_MAX - headers->security_address < headers->security_size)
			return false;
		if (headers->security_address + headers->security_size > file->size)
			return false;
	}
	return true;
}

bool accepted_by_edk2(const struct hashed_file *file)
{
	struct headers headers;

	if (!read_headers(file, &headers) || !edk2_accepts_headers(file, &headers))
		return false;
	for (uint32_t i = 0; i < headers.section_count; i++) {
		uint32_t length = section_field(file, &headers, i, SIZE_OF_RAW_DATA);
		uint32_t start = section_field(file, &headers, i, POINTER_TO_RAW_DATA);

		if (length == 0)
			continue;
		if (section_field(file, &headers, i, VIRTUAL_ADDRESS) < headers.headers_size ||
		    start < headers.headers_size)
			return false;
		if (UINT32_MAX - start < length || start + length > file->size)
			return false;
	}
	return true;
}

/* --- shim: sizes have 32 bits; it is only called with files whose sizes fit an int --- */

/* check_size: a hashed range must lie within the file. */
static bool check_size(uint32_t size, uint64_t start, uint32_t length)
{
	return start <= size && start + length <= size;
}

/* The checks of get_section_vma. */
static bool shim_accepts_section(const struct hashed_file *file, const struct headers *headers, uint32_t index)
{
	uint32_t address = section_field(file, headers, index, VIRTUAL_ADDRESS);
	uint32_t last = address + section_field(file, headers, index, VIRTUAL_SIZE) - 1;
	uint32_t characteristics = section_field(file, headers, index, CHARACTERISTICS);
	bool has_base = address < headers->image_size;
	bool has_end = last < headers->image_size;

	if (!(characteristics & MEM_DISCARDABLE) && (!has_base || !has_end))
		return false;
	if (!(characteristics & UNINITIALIZED_DATA) &&
	    (address < headers->headers_size ||
	     section_field(file, headers, index, POINTER_TO_RAW_DATA) < headers->headers_size))
		return false;
	/* shim compares pointers; a pointer outside the image is NULL. */
	return !has_base || (has_end && last >= address);
}

static bool shim_hashes_sections(const struct hashed_file *file, const struct headers *headers, uint32_t *sum,
				 hash_sink *sink, void *context)
{
	uint32_t size = (uint32_t)file->size;
	uint32_t section_sum = 0;

	for (uint32_t i = 0; i < headers->section_count; i++) {
		uint32_t length = section_field(file, headers, i, SIZE_OF_RAW_DATA);

		if (!shim_accepts_section(file, headers, i) || length > size - *sum - section_sum)
			return false;
		section_sum += length;
	}
	for (uint32_t i = 0; i < headers->section_count; i++) {
		uint32_t length = section_field(file, headers, i, SIZE_OF_RAW_DATA);
		uint32_t start = section_field(file, headers, i, POINTER_TO_RAW_DATA);

		if (length == 0)
			continue;
		if (start >= size || length > size - start)
			return false;
		sink(context, start, length);
		*sum += length;
	}
	return true;
}

bool hashed_by_shim(const struct hashed_file *file, hash_sink *sink, void *context)
{
	uint32_t size = (uint32_t)file->size;
	struct headers headers;
	uint64_t check_sum;
	uint64_t security;
	uint32_t length;
	uint32_t sum;

	if (file->size > INT32_MAX || !read_headers(file, &headers))
		return false;
	check_sum = headers.optional + CHECK_SUM;
	sink(context, 0, check_sum);
	security = headers.optional + SECURITY;
	sink(context, check_sum + 4, security - (check_sum + 4));
	/* shim keeps both differences in 32 bits. */
	length = headers.headers_size - (uint32_t)(security + 8);
	if (length > size || !check_size(size, security + 8, length))
		return false;
	sink(context, security + 8, length);

	sum = headers.headers_size;
	if (!shim_hashes_sections(file, &headers, &sum, sink, context))
		return false;

	/* The certificates must follow immediately. Without certificates the rest is not hashed. */
	if (size > sum && headers.security_size) {
		length = size - headers.security_size - sum;
		if (size - sum < headers.security_size || sum + length != headers.security_address ||
		    !check_size(size, sum, length))
			return false;
		sink(context, sum, length);
	}
	return true;
}

bool accepted_by_shim(const struct hashed_file *file)
{
	uint64_t sections_size;
	struct headers headers;

	if (file->size > INT32_MAX || !read_headers(file, &headers) || number(file, E_LFANEW, 4) < DOS_HEADER_SIZE)
		return false;
	if (headers.directory_count > 16 || headers.optional_size < DATA_DIRECTORY ||
	    headers.optional_size - DATA_DIRECTORY != headers.directory_count * 8)
		return false;
	sections_size = (uint64_t)headers.section_count * SECTION_SIZE;
	if (headers.image_size < headers.table ||
	    (headers.image_size - headers.table) / SECTION_SIZE <= headers.section_count)
		return false;
	if (headers.headers_size < headers.table || headers.headers_size - headers.table < sections_size ||
	    headers.image_size < headers.headers_size)
		return false;
	return headers.security_address < file->size ||
	       (headers.security_address == file->size && headers.security_size == 0);
}
