// SPDX-License-Identifier: BSD-2-Clause
/* Reads the headers of PE images. */
#include "boot/pe.h"

#include "boot/log.h"
#include "common/string.h"

enum {
	DOS_PE_OFFSET = 0x3c,

	/* COFF header, from the signature "PE\0\0" on */
	COFF_MACHINE = 4,
	COFF_SECTION_COUNT = 6,
	COFF_OPTIONAL_HEADER_SIZE = 20,
	COFF_SIZE = 24,

	/* Optional header of PE32+, behind the COFF header */
	OPTIONAL_MAGIC = 0,
	OPTIONAL_IMAGE_SIZE = 56,
	OPTIONAL_HEADERS_SIZE = 60,
	OPTIONAL_CHECKSUM = 64,
	OPTIONAL_SUBSYSTEM = 68,
	OPTIONAL_DIRECTORY_COUNT = 108,
	OPTIONAL_CERTIFICATES = 144, /* data directory 4: offset in the file, size */
	OPTIONAL_CERTIFICATES_END = 152,
	MAGIC_PE32_PLUS = 0x20b,
	DIRECTORIES_MIN = 5, /* so that data directory 4 exists */

	SECTION_NAME_SIZE = 8,
	SECTION_VIRTUAL_SIZE = 8,
	SECTION_VIRTUAL_ADDRESS = 12,
	SECTION_FILE_SIZE = 16,
	SECTION_FILE_OFFSET = 20,
	SECTION_HEADER_SIZE = 40,
};

static bool lies_within(const struct pe_image *image, uint64_t offset, uint64_t length)
{
	return offset <= image->size && length <= image->size - offset;
}

static uint32_t read_16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t read_32(const uint8_t *bytes)
{
	return read_16(bytes) | read_16(bytes + 2) << 16;
}

/* Finds the table of section headers. Returns false unless it lies within the image. */
static bool find_table(const struct pe_image *image, const uint8_t **ret_table, uint32_t *ret_count)
{
	const uint8_t *coff;
	uint64_t table;

	if (!lies_within(image, 0, DOS_PE_OFFSET + 4) || image->bytes[0] != 'M' || image->bytes[1] != 'Z')
		return false;
	table = read_32(image->bytes + DOS_PE_OFFSET);
	if (!lies_within(image, table, COFF_SIZE))
		return false;
	coff = image->bytes + table;
	if (memcmp(coff, "PE\0\0", 4) != 0)
		return false;
	*ret_count = read_16(coff + COFF_SECTION_COUNT);
	table += COFF_SIZE + read_16(coff + COFF_OPTIONAL_HEADER_SIZE);
	if (!lies_within(image, table, (uint64_t)*ret_count * SECTION_HEADER_SIZE))
		return false;
	*ret_table = image->bytes + table;
	return true;
}

bool pe_section_at(const struct pe_image *image, uint32_t index, struct pe_section *ret_section)
{
	const uint8_t *header;
	uint32_t count;

	if (!find_table(image, &header, &count) || index >= count)
		return false;
	header += (size_t)index * SECTION_HEADER_SIZE;
	*ret_section = (struct pe_section){
		.address = read_32(header + SECTION_VIRTUAL_ADDRESS),
		.size = read_32(header + SECTION_VIRTUAL_SIZE),
		.file_offset = read_32(header + SECTION_FILE_OFFSET),
		.file_size = read_32(header + SECTION_FILE_SIZE),
	};
	memcpy(ret_section->name, header, SECTION_NAME_SIZE);
	return true;
}

/* The optional header of an image whose section table was found. The table is behind it. */
static const uint8_t *optional_header(const struct pe_image *image)
{
	return image->bytes + read_32(image->bytes + DOS_PE_OFFSET) + COFF_SIZE;
}

bool pe_machine(const struct pe_image *image, uint16_t *ret_machine, uint16_t *ret_subsystem)
{
	const uint8_t *optional;
	const uint8_t *table;
	uint32_t count;

	if (!find_table(image, &table, &count))
		return false;
	optional = optional_header(image);
	if (table - optional < OPTIONAL_SUBSYSTEM + 2)
		return false;
	*ret_machine = (uint16_t)read_16(optional - COFF_SIZE + COFF_MACHINE);
	*ret_subsystem = (uint16_t)read_16(optional + OPTIONAL_SUBSYSTEM);
	return true;
}

struct pe_sizes pe_sizes(const struct pe_image *image)
{
	const uint8_t *optional = optional_header(image);

	return (struct pe_sizes){
		.headers = read_32(optional + OPTIONAL_HEADERS_SIZE),
		.image = read_32(optional + OPTIONAL_IMAGE_SIZE),
	};
}

/* A section without content occupies nothing, so its place does not matter. */
static enum kexec_status check_section(const char *name, const struct pe_image *image, uint64_t end,
				       const struct pe_section *section)
{
	const struct pe_sizes sizes = pe_sizes(image);
	bool is_file = image->layout == PE_FILE;
	uint64_t start = is_file ? section->file_offset : section->address;
	uint64_t length = section->size;

	if (is_file && length > section->file_size)
		length = section->file_size;
	if (length && (start < sizes.headers || start > end || length > end - start))
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: section %s: expected it between 0x%x and 0x%lx, found 0x%lx bytes at 0x%lx%s",
				 name, section->name, sizes.headers, end, length, start,
				 is_file && start >= sizes.headers ? ": is the file cut off?" : "");
	return KEXEC_OK;
}

static enum kexec_status check_sizes(const char *name, const struct pe_image *image, uint64_t end, uint64_t table_end)
{
	const struct pe_sizes sizes = pe_sizes(image);

	if (table_end > sizes.headers)
		return log_error(
			KEXEC_BAD_FORMAT,
			"%s: expected SizeOfHeaders of at least 0x%lx (the end of the section table), found 0x%x", name,
			table_end, sizes.headers);
	if (sizes.headers > end)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected SizeOfHeaders of at most 0x%lx, found 0x%x", name, end,
				 sizes.headers);
	return KEXEC_OK;
}

enum kexec_status pe_check_headers_of(const char *name, const struct pe_image *image, uint64_t end)
{
	enum kexec_status status = KEXEC_OK;
	struct pe_section section;
	const uint8_t *table;
	uint32_t magic = 0;
	uint32_t count;

	if (!find_table(image, &table, &count))
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: expected the headers of a PE image in its 0x%lx bytes, found none", name,
				 image->size);
	if (table - optional_header(image) >= OPTIONAL_CHECKSUM)
		magic = read_16(optional_header(image) + OPTIONAL_MAGIC);
	if (magic != MAGIC_PE32_PLUS)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a PE32+ image (magic 0x%x), found 0x%x", name,
				 MAGIC_PE32_PLUS, magic);
	if (!count)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected at least 1 section, found 0", name);
	status =
		check_sizes(name, image, end, (uint64_t)(table - image->bytes) + (uint64_t)count * SECTION_HEADER_SIZE);
	for (uint32_t i = 0; !status && pe_section_at(image, i, &section); i++)
		status = check_section(name, image, end, &section);
	return status;
}

enum kexec_status pe_check_headers(const char *name, const struct pe_image *image)
{
	return pe_check_headers_of(name, image, image->size);
}

/* The place of a section's content in the bytes. */
struct text pe_section_content(const struct pe_image *image, const struct pe_section *section)
{
	struct text content = { .start = (const char *)image->bytes };
	uint32_t offset = image->layout == PE_FILE ? section->file_offset : section->address;
	uint32_t length = section->size;

	if (image->layout == PE_FILE && length > section->file_size)
		length = section->file_size;
	if (lies_within(image, offset, length)) {
		content.start += offset;
		content.length = length;
	}
	return content;
}

bool pe_section_is(const struct pe_section *section, const char *name)
{
	char padded_name[SECTION_NAME_SIZE] = { 0 };

	memcpy(padded_name, name, strlen(name));
	return memcmp(section->name, padded_name, SECTION_NAME_SIZE) == 0;
}

bool pe_find_section(const struct pe_image *image, const char *name, struct text *ret_content)
{
	struct pe_section section;

	for (uint32_t i = 0; pe_section_at(image, i, &section); i++) {
		if (pe_section_is(&section, name)) {
			*ret_content = pe_section_content(image, &section);
			return true;
		}
	}
	return false;
}

/* The fields of a PE32+ file that determine the bytes its signature covers. */
struct signed_file {
	struct pe_image image;
	const uint8_t *sections;
	uint32_t section_count;
	uint64_t checksum;	    /* offset; these 4 bytes are not hashed */
	uint64_t certificates;	    /* offset of the data directory; these 8 bytes are not hashed */
	uint64_t certificates_size; /* from that directory; as many bytes at the end of the file are not hashed */
	uint64_t headers_size;
};

static bool parse_signed_file(const void *bytes, uint64_t size, struct signed_file *ret_file)
{
	struct signed_file file = { .image = { .bytes = bytes, .size = size, .layout = PE_FILE } };
	const uint8_t *optional;
	uint64_t offset;

	if (!find_table(&file.image, &file.sections, &file.section_count) || file.section_count > PE_SECTIONS_MAX)
		return false;
	offset = (uint64_t)read_32(file.image.bytes + DOS_PE_OFFSET) + COFF_SIZE;
	if (!lies_within(&file.image, offset, OPTIONAL_CERTIFICATES_END))
		return false;
	optional = file.image.bytes + offset;
	/*
	 * With fewer directories, edk2 hashes everything, and shim skips the bytes at the place of the certificates'
	 * directory.
	 */
	if (read_16(optional + OPTIONAL_MAGIC) != MAGIC_PE32_PLUS ||
	    read_32(optional + OPTIONAL_DIRECTORY_COUNT) < DIRECTORIES_MIN)
		return false;
	file.checksum = offset + OPTIONAL_CHECKSUM;
	file.certificates = offset + OPTIONAL_CERTIFICATES;
	file.certificates_size = read_32(optional + OPTIONAL_CERTIFICATES + 4);
	file.headers_size = read_32(optional + OPTIONAL_HEADERS_SIZE);
	if (file.headers_size > size)
		return false;
	*ret_file = file;
	return true;
}

bool pe_has_certificates(const void *bytes, uint64_t size)
{
	struct signed_file file;

	return parse_signed_file(bytes, size, &file) && file.certificates_size;
}

static void add_range(struct pe_signed_ranges *ranges, uint64_t start, uint64_t end)
{
	if (start < end)
		ranges->list[ranges->count++] = (struct pe_range){ .start = start, .end = end };
}

/* Inserts the last range among those from `first` on, which are sorted by start. */
static void sort_last(struct pe_signed_ranges *ranges, size_t first)
{
	for (size_t i = ranges->count - 1; i > first && ranges->list[i - 1].start > ranges->list[i].start; i--) {
		struct pe_range range = ranges->list[i];

		ranges->list[i] = ranges->list[i - 1];
		ranges->list[i - 1] = range;
	}
}

/* Adds the sections. Returns the sum of their sizes, including sections that do not lie within the file. */
static uint64_t add_sections(const struct signed_file *file, struct pe_signed_ranges *ranges)
{
	const uint8_t *header = file->sections;
	size_t first = ranges->count;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < file->section_count; i++, header += SECTION_HEADER_SIZE) {
		uint64_t start = read_32(header + SECTION_FILE_OFFSET);
		uint64_t length = read_32(header + SECTION_FILE_SIZE);

		sum += length;
		if (!length || !lies_within(&file->image, start, length))
			continue;
		add_range(ranges, start, start + length);
		sort_last(ranges, first);
	}
	return sum;
}

bool pe_signed_ranges(const void *bytes, uint64_t size, struct pe_signed_ranges *ret_ranges)
{
	struct signed_file file;
	uint64_t hashed;

	ret_ranges->count = ret_ranges->agreed_count = 0;
	if (!parse_signed_file(bytes, size, &file))
		return false;
	add_range(ret_ranges, 0, file.checksum);
	add_range(ret_ranges, file.checksum + 4, file.certificates);
	add_range(ret_ranges, file.certificates + 8, file.headers_size);
	hashed = file.headers_size + add_sections(&file, ret_ranges);
	ret_ranges->agreed_count = ret_ranges->count;
	/* As specified, the rest of the file begins at the sum of all sizes hashed so far, wherever that is. */
	if (file.certificates_size < size)
		add_range(ret_ranges, hashed, size - file.certificates_size);
	/*
	 * Without certificates, shim before 16.1 does not hash the rest: anybody can append to a kernel enrolled by its
	 * digest.
	 */
	if (file.certificates_size)
		ret_ranges->agreed_count = ret_ranges->count;
	return true;
}

/* Ranges may overlap or be unsorted in a malicious file. */
static uint64_t covered_until(const struct pe_signed_ranges *ranges, uint64_t offset)
{
	uint64_t before;

	do {
		before = offset;
		for (size_t i = 0; i < ranges->agreed_count; i++) {
			if (ranges->list[i].start <= offset && offset < ranges->list[i].end)
				offset = ranges->list[i].end;
		}
	} while (offset != before);
	return offset;
}

uint64_t pe_signed_until(const void *bytes, uint64_t size, uint64_t offset)
{
	struct pe_signed_ranges ranges;

	pe_signed_ranges(bytes, size, &ranges);
	return covered_until(&ranges, offset);
}
