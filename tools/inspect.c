// SPDX-License-Identifier: BSD-2-Clause
/*
 * Says what the loader makes of an entry, an image or a kernel, by the loader's own code: the tools beside this seal,
 * sign and predict by what it says, so they cannot disagree with the loader. The input is read from standard input, the
 * answer is JSON on standard output, and what the loader would say goes to standard error. Bytes are written as the
 * characters of Latin-1, since names and command lines need not be UTF-8.
 *
 *   inspect entry NAME [MORE]     the plan of an entry that lies beside the image, with MORE lines from load options
 *   inspect load-options NAME     of load options as firmware hands them over, in UTF-16: the lines of an entry that
 *                                 they are, the file of the entry that they go to and its volume, and the plan if they
 *                                 are an entry by themselves
 *   inspect sealed-entry NAME     the plan of an entry that is sealed in an image: each file needs its digest
 *   inspect image NAME [OPTIONS]  of our own image: sections, ranges of the Authenticode digest, whether it is marked
 *                                 as sealed, and the plan of what is sealed in it; of a unified image, the sections of
 *                                 the profile. OPTIONS are load options as firmware hands them over, in hexadecimal
 *   inspect file NAME             of any file: sections and ranges, by whatever it has for headers
 *   inspect kernel NAME [LENGTH [PROFILE]]
 *                                 whether a kernel that the loader takes, with a command line of so many bytes, is
 *                                 measured by its Authenticode digest; and, if it comes in a unified image, where the
 *                                 sections of the profile are in that, in the order in which they are measured, and
 *                                 which of them are initrds
 *   inspect initrd NAME           nothing: the exit status says whether it is an initrd that the loader takes, and a
 *                                 warning what Linux would not unpack of it
 *   inspect keys NAME             the keys that an entry may have; the input is not looked at
 *
 * NAME stands for the input in messages. The exit status is 0, 1 where the loader would refuse or the answer cannot be
 * written, or 2 for a wrong call.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/entry.h"
#include "boot/entry_file.h"
#include "boot/entry_keys.h"
#include "boot/initrd.h"
#include "boot/initrd_content.h"
#include "boot/kernel_format.h"
#include "boot/loadoptions.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "boot/sealed_image.h"
#include "boot/stub_request.h"
#include "boot/unified_options.h"
#include "boot/volume_path.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/format.h"

/* --- the core's seams --- */

static void print_line(const char *format, va_list args)
{
	char line[800];

	format_text_va(line, sizeof(line), format, args);
	/* What comes from a file must not reach a terminal as it is. */
	for (char *c = line; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	(void)fprintf(stderr, "%s\n", line);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	(void)fputs(LOG_WARNING_MARK, stderr);
	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

/* What is said of a boot that goes on. Of the keys that were skipped the plan has a list. */
void log_info(const char *format, ...)
{
	(void)format;
}

void log_verbose(const char *format, ...)
{
	(void)format;
}

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	*ret_memory = malloc(size);
	if (!*ret_memory)
		return log_error(KEXEC_NO_MEMORY, "%s: expected memory for %zu bytes, found none", what, size);
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	free(memory);
}

/* What is asked about. */
struct input {
	const char *name; /* for messages */
	struct text text;
	struct text more;	      /* behind an entry */
	uint64_t command_line_length; /* of a kernel */
	bool has_profile;
	uint64_t profile; /* of a unified image */
	/* What our image is started with. */
	uint8_t load_options[LOAD_OPTIONS_SIZE_MAX];
	size_t load_options_size;
};

/* --- JSON --- */

static void put_text(struct text text)
{
	(void)putchar('"');
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = (uint8_t)text.start[i];

		if (byte < ' ' || byte == '"' || byte == '\\' || byte >= 0x7f)
			(void)printf("\\u%04x", byte);
		else
			(void)putchar(byte);
	}
	(void)putchar('"');
}

/* Between the members of a list. */
static void put_separator(size_t index)
{
	if (index)
		(void)fputs(", ", stdout);
}

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

/* --- plans --- */

static void put_digest(const struct part_digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	if (digest->is_known) {
		format_digest(text, digest->bytes);
		(void)printf("\"%s\"", text);
	} else {
		(void)printf("null");
	}
}

static void put_part(const struct boot_part *part)
{
	static const char *const sources[] = {
		[PART_ON_VOLUME] = "volume",
		[PART_IN_IMAGE] = "image",
		[PART_ON_NETWORK] = "network",
		[PART_FROM_LOADER] = "loader",
	};
	static const char *const trusts[] = {
		[TRUST_NOBODY] = "nobody",
		[TRUST_PLATFORM] = "platform",
		[TRUST_DIGEST] = "digest",
		[TRUST_IMAGE] = "image",
	};

	(void)printf("{\"name\": ");
	put_text(text_of_string(part->name));
	(void)printf(", \"source\": \"%s\", \"trust\": \"%s\", \"fsverity\": ", sources[part->source],
		     trusts[part->trust]);
	put_digest(&part->fsverity);
	(void)printf(", \"sha256\": ");
	put_digest(&part->sha256);
	(void)putchar('}');
}

static void put_part_if_any(const struct boot_part *part)
{
	if (part->name)
		put_part(part);
	else
		(void)printf("null");
}

static void put_plan(const struct boot_plan *plan)
{
	(void)printf("{\"text\": ");
	put_text(plan->text);
	(void)printf(", \"kernel\": ");
	put_part(&plan->kernel);
	(void)printf(", \"initrds\": [");
	for (size_t i = 0; i < plan->initrd_count; i++) {
		put_separator(i);
		put_part(&plan->initrds[i]);
	}
	(void)printf("], \"pcr_signature\": ");
	put_part_if_any(&plan->pcr_signature);
	(void)printf(", \"pcr_key\": ");
	put_part_if_any(&plan->pcr_key);
	(void)printf(", \"command_line\": ");
	put_text(plan->command_line);
	(void)printf(", \"unknown_keys\": [");
	for (size_t i = 0; i < plan->unknown_key_count; i++) {
		put_separator(i);
		put_text(plan->unknown_keys[i]);
	}
	(void)printf("], \"volume\": ");
	if (plan->volume[0])
		put_text(text_of_string(plan->volume));
	else
		(void)printf("null");
	(void)printf(", \"profile\": ");
	if (plan->has_profile)
		(void)printf("%u", plan->profile);
	else
		(void)printf("null");
	(void)printf(", \"chosen_profile\": %u, \"options_are_added\": %s", plan->profile,
		     bool_text(plan->options_are_added));
	(void)printf(", \"require_signature\": %s, \"require_measurement\": %s, \"measured_as_image\": %s, "
		     "\"network_trusted\": %s, "
		     "\"dma_off\": %s, \"overwrite_off\": "
		     "%s, \"forensics\": %s, \"verbose\": %s, "
		     "\"on_mismatch\": \"%s\"}",
		     bool_text(plan->require_signature), bool_text(plan->require_measurement),
		     bool_text(plan->measured_as_image), bool_text(plan->network_trusted), bool_text(plan->dma_off),
		     bool_text(plan->overwrite_off), bool_text(plan->forensics), bool_text(plan->verbose),
		     plan->on_mismatch == ON_MISMATCH_RESET ? "reset" : "halt");
}

/* Whether the volume can be asked for each file that the plan has on it. */
static bool paths_make_sense(struct boot_plan *plan)
{
	uint16_t path[VOLUME_PATH_SIZE];
	struct boot_part *part;

	for (size_t i = 0; (part = boot_plan_part(plan, i)) != NULL; i++) {
		if (part->source == PART_ON_VOLUME && volume_path(part->name, path))
			return false;
	}
	return true;
}

static int answer_plan(struct boot_plan *plan)
{
	bool is_good = paths_make_sense(plan);

	if (is_good) {
		put_plan(plan);
		(void)putchar('\n');
	}
	boot_plan_free(plan);
	return is_good ? 0 : 1;
}

static int inspect_outside_entry(const struct input *input)
{
	struct boot_plan plan;

	return entry_file_to_plan(input->name, input->text, input->more, &plan) ? 1 : answer_plan(&plan);
}

static int inspect_sealed_entry(const struct input *input)
{
	struct boot_plan plan;

	return entry_to_plan(input->name, input->text, ENTRY_SEALED, &plan) ? 1 : answer_plan(&plan);
}

/* Behind the members of an object. */
static int put_load_options(const struct load_options *options)
{
	struct boot_plan plan = { 0 };

	if (options->has_linux &&
	    (entry_to_plan("load options", options->lines, ENTRY_OF_LOAD_OPTIONS, &plan) || !paths_make_sense(&plan))) {
		boot_plan_free(&plan);
		return 1;
	}
	(void)printf("{\"lines\": ");
	put_text(options->lines);
	(void)printf(", \"volume\": ");
	put_text(options->volume);
	(void)printf(", \"entry\": ");
	put_text(options->entry_path);
	(void)printf(", \"plan\": ");
	if (options->has_linux)
		put_plan(&plan);
	else
		(void)printf("null");
	(void)printf("}\n");
	boot_plan_free(&plan);
	return 0;
}

/* From a boot entry of the firmware; what our image is called there is not known. */
static int inspect_load_options(const struct input *input)
{
	const struct load_options_sender sender = { 0 };
	size_t size = input->text.length;
	struct load_options options;
	void *buffer;
	int result;

	if (pool_alloc(LOAD_OPTIONS_BUFFER_SIZE(size > LOAD_OPTIONS_SIZE_MAX ? 0 : size), input->name, &buffer))
		return 1;
	load_options_parse(input->text.start, size, &sender, buffer, &options);
	result = put_load_options(&options);
	pool_free(buffer);
	return result;
}

static int inspect_keys(const struct input *input)
{
	const struct entry_key *key;

	(void)input;
	(void)putchar('[');
	for (size_t i = 0; (key = entry_key_at(i)) != NULL; i++) {
		put_separator(i);
		put_text(key->name);
	}
	(void)printf("]\n");
	return 0;
}

/* --- images --- */

static void put_sections(const struct pe_image *image)
{
	struct pe_section section;

	(void)printf("\"sections\": [");
	for (uint32_t i = 0; pe_section_at(image, i, &section); i++) {
		put_separator(i);
		(void)printf("{\"name\": ");
		put_text(text_of_string(section.name));
		(void)printf(", \"address\": %u, \"size\": %u, \"file_offset\": %u, \"file_size\": %u}",
			     section.address, section.size, section.file_offset, section.file_size);
	}
	(void)printf("]");
}

/* What is hashed, [start, end) each, in order; null if the file is no PE32+ image. */
static void put_signed_ranges(const struct pe_image *image)
{
	struct pe_signed_ranges ranges;

	(void)printf("\"authenticode\": ");
	if (!pe_signed_ranges(image->bytes, image->size, &ranges)) {
		(void)printf("null");
		return;
	}
	(void)printf("[");
	for (size_t i = 0; i < ranges.count; i++) {
		put_separator(i);
		(void)printf("[%llu, %llu]", (unsigned long long)ranges.list[i].start,
			     (unsigned long long)ranges.list[i].end);
	}
	(void)printf("]");
}

/* No firmware loads a larger image. */
#define LOADED_SIZE_MAX (1ull << 32)

/*
 * Loads the image as the firmware would, since that is what the loader sees: of the headers SizeOfHeaders bytes, and of
 * the sections as much as the file has, with zeros behind that. A file whose sections end behind the file's end, or lie
 * over the headers, is refused. The caller frees ->bytes.
 */
static bool load(const char *name, const struct pe_image *file, struct pe_image *ret_image)
{
	struct pe_section section;
	uint64_t size;
	uint8_t *bytes;

	if (pe_check_headers(name, file))
		return false;
	size = pe_sizes(file).image;
	/* Zeros that are never touched cost nothing. */
	bytes = size <= LOADED_SIZE_MAX && size >= pe_sizes(file).headers ? calloc(1, size) : NULL;
	if (!bytes) {
		log_error_line("%s: expected SizeOfImage between 0x%x and 0x%llx, found 0x%llx", name,
			       pe_sizes(file).headers, LOADED_SIZE_MAX, (unsigned long long)size);
		return false;
	}
	*ret_image = (struct pe_image){ .bytes = bytes, .size = size, .layout = PE_LOADED };
	memcpy(bytes, file->bytes, pe_sizes(file).headers);
	/* The places of all sections in memory, by the headers that lie there now. */
	if (pe_check_headers(name, ret_image)) {
		free(bytes);
		return false;
	}
	for (uint32_t i = 0; pe_section_at(file, i, &section); i++) {
		uint32_t length = section.size < section.file_size ? section.size : section.file_size;

		if (length)
			memcpy(bytes + section.address, file->bytes + section.file_offset, length);
	}
	return true;
}

static void put_file(const struct pe_image *file)
{
	put_sections(file);
	(void)printf(", ");
	put_signed_ranges(file);
}

static struct pe_image file_of(const struct input *input)
{
	return (struct pe_image){ .bytes = (const uint8_t *)input->text.start,
				  .size = input->text.length,
				  .layout = PE_FILE };
}

static int inspect_file(const struct input *input)
{
	const struct pe_image file = file_of(input);

	(void)printf("{");
	put_file(&file);
	(void)printf("}\n");
	return 0;
}

/* The content of the section .seal, as far as there is one. An image of others may have none, or something else. */
static const char *mark_text(const struct pe_image *image)
{
	struct text mark;

	if (!pe_find_section(image, SEAL_MARK_SECTION, &mark))
		return "null";
	return bool_text(mark.length != SEAL_MARK_SIZE || seal_mark_demands(mark.start));
}

/* Offset, bytes in the file, and bytes with the zeros behind. */
static void put_unified_section(const struct unified_section *section)
{
	(void)printf("[%llu, %llu, %llu]", (unsigned long long)section->offset, (unsigned long long)section->file_size,
		     (unsigned long long)section->size);
}

/* null if it has no kernel. */
static void put_unified_image(const struct unified_image *image)
{
	if (!image->sections[UNIFIED_KERNEL].size) {
		(void)printf("null");
		return;
	}
	(void)printf("{\"sections\": {");
	for (int i = 0, count = 0; i < UNIFIED_PARTS; i++) {
		if (!image->sections[i].size)
			continue;
		put_separator((size_t)count++);
		put_text(text_of_string(unified_section_name((enum unified_part)i)));
		(void)printf(": ");
		put_unified_section(&image->sections[i]);
	}
	(void)printf("}, \"initrds\": [");
	for (size_t i = 0; i < unified_initrd_count(image); i++) {
		put_separator(i);
		put_text(text_of_string(unified_section_name(unified_initrd(image, i))));
	}
	(void)printf("]}");
}

/* Where the sections of our own image lie in the file. What lies over another in memory is no section of the file's. */
static bool find_in_file(const char *name, const struct pe_image *file, const struct pe_image *loaded,
			 struct unified_section *section)
{
	struct pe_section found = { 0 };
	uint32_t i = 0;

	while (pe_section_at(file, i, &found) && (found.address != section->offset || found.size != section->size))
		i++;
	section->offset = found.file_offset;
	section->file_size = found.size < found.file_size ? found.size : found.file_size;
	if (memcmp(loaded->bytes + found.address, file->bytes + section->offset, section->file_size) == 0)
		return true;
	log_error_line("%s: section %s: expected it apart from all others, found another over it", name, found.name);
	return false;
}

static bool find_own_sections(const struct input *input, const struct pe_image *file, const struct pe_image *loaded,
			      uint32_t profile, struct unified_image *ret_unified)
{
	bool is_good = unified_sections_find("this image", loaded, profile, ret_unified) == KEXEC_OK;

	for (int i = 0; is_good && i < UNIFIED_PARTS; i++) {
		if (ret_unified->sections[i].size)
			is_good = find_in_file(input->name, file, loaded, &ret_unified->sections[i]);
	}
	return is_good;
}

/*
 * What is sealed in the image, as it is started from a boot entry of the firmware: an image that tools/seal has marked
 * takes no options. Returns false where that is refused; the caller frees the plan in any case.
 */
static bool plan_sealed(const struct input *input, const struct pe_image *file, const struct pe_image *loaded,
			bool is_marked, struct boot_plan *plan, struct unified_image *unified)
{
	static char buffer[OPTIONAL_DATA_TEXT_SIZE(LOAD_OPTIONS_SIZE_MAX)];
	const struct load_options_sender sender = { 0 };
	const struct stub_request request =
		stub_request_parse(input->load_options, input->load_options_size, &sender, buffer);

	if (sealed_image_to_plan(loaded, request.profile, is_marked ? TEXT("") : request.command_line, plan) ||
	    !paths_make_sense(plan))
		return false;
	return plan->kernel.source != PART_IN_IMAGE || find_own_sections(input, file, loaded, request.profile, unified);
}

static int put_image(const struct input *input, const struct pe_image *file, const struct pe_image *loaded)
{
	const char *mark = mark_text(loaded);
	bool is_marked = strcmp(mark, "true") == 0;
	enum seal seal = sealed_image_found(loaded, is_marked);
	struct unified_image unified = { 0 };
	struct boot_plan plan = { 0 };
	bool is_good =
		seal == NOT_SEALED || (seal == SEALED && plan_sealed(input, file, loaded, is_marked, &plan, &unified));

	if (is_good) {
		(void)printf("{");
		put_file(file);
		(void)printf(", \"is_marked\": %s, \"plan\": ", mark);
		if (seal == SEALED)
			put_plan(&plan);
		else
			(void)printf("null");
		(void)printf(", \"unified\": ");
		put_unified_image(&unified);
		(void)printf("}\n");
	}
	boot_plan_free(&plan);
	return is_good ? 0 : 1;
}

static int inspect_image(const struct input *input)
{
	const struct pe_image file = file_of(input);
	struct pe_image loaded;
	int result;

	if (!load(input->name, &file, &loaded))
		return 1;
	result = put_image(input, &file, &loaded);
	free((void *)(uintptr_t)loaded.bytes);
	return result;
}

/* --- other parts --- */

/* As on a CPU with 4-level page tables, which most firmware leaves on. */
static bool plan_kernel(const char *name, struct text file, const struct input *asked, struct kernel_plan *ret_plan)
{
	const struct kernel_probe probe = {
		.name = name,
		.bytes = (const uint8_t *)file.start,
		.size = file.length < KERNEL_PROBE_SIZE ? file.length : KERNEL_PROBE_SIZE,
		.file_size = file.length,
		.has_profile = asked && asked->has_profile,
		.profile = asked ? (uint32_t)asked->profile : 0,
	};

	return kernel_plan_file(&probe, ret_plan) == KEXEC_OK;
}

/* The kernel that is in a unified image, without zeros that follow it in memory. */
static bool plan_inner_kernel(const struct input *input, const struct unified_image *image,
			      struct kernel_plan *ret_plan)
{
	const struct unified_section *section = &image->sections[UNIFIED_KERNEL];
	struct text kernel = { .start = input->text.start + section->offset, .length = section->file_size };
	char name[160];

	format_text(name, sizeof(name), "%s: .linux", input->name);
	if (!plan_kernel(name, kernel, NULL, ret_plan))
		return false;
	if (ret_plan->format == &unified_image_format)
		log_error_line("%s: expected a kernel, found another unified image", name);
	return ret_plan->format != &unified_image_format;
}

static int inspect_kernel(const struct input *input)
{
	struct kernel_plan inner;
	struct kernel_plan plan;
	bool is_unified;

	if (!plan_kernel(input->name, input->text, input, &plan))
		return 1;
	is_unified = plan.format == &unified_image_format;
	inner = plan;
	if (is_unified && !plan_inner_kernel(input, &plan.unified, &inner))
		return 1;
	if (kernel_check_command_line(&inner, input->command_line_length))
		return 1;
	(void)printf("{\"authenticode_covers\": %s, \"unified\": ",
		     bool_text(kernel_authenticode_covers(&plan, (const uint8_t *)input->text.start,
							  input->text.length)));
	put_unified_image(is_unified ? &plan.unified : &(struct unified_image){ 0 });
	(void)printf("}\n");
	return 0;
}

static int inspect_initrd(const struct input *input)
{
	struct initrd_look look = { 0 };
	uint64_t size = 0;
	uint64_t offset;

	if (initrd_append(input->name, input->text.length, &size, &offset))
		return 1;
	initrd_look(&look, input->name, (const uint8_t *)input->text.start, size);
	return 0;
}

/* --- the program --- */

/* Returns false unless the text is a number in decimal. */
static bool parse_length(const char *text, uint64_t *ret_length)
{
	uint64_t length = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || length > UINT64_MAX / 16)
			return false;
		length = length * 10 + (uint64_t)(*c - '0');
	}
	*ret_length = length;
	return text[0] != '\0';
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of our image: what it is started with, in hexadecimal. */
static bool parse_load_options(int count, char **arguments, struct input *input)
{
	const char *text = count ? arguments[0] : "";

	for (; text[0]; text += 2) {
		int high = digit_value(text[0]);
		int low = digit_value(text[1]);

		if (high < 0 || low < 0 || input->load_options_size == sizeof(input->load_options))
			return false;
		input->load_options[input->load_options_size++] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static bool parse_profile(int count, char **arguments, struct input *input)
{
	return count == 0 || (parse_length(arguments[0], &input->profile) && input->profile <= UINT32_MAX);
}

/* Length and profile, of which a kernel has none, the first or both. */
static bool parse_kernel_arguments(int count, char **arguments, struct input *input)
{
	if (count >= 1 && !parse_length(arguments[0], &input->command_line_length))
		return false;
	input->has_profile = count == 2;
	return count < 2 || parse_profile(count - 1, arguments + 1, input);
}

static bool parse_more_lines(int count, char **arguments, struct input *input)
{
	if (count)
		input->more = text_of_string(arguments[0]);
	return true;
}

/* With how many arguments at most behind the name, and who reads them. */
static const struct {
	const char *name;
	int (*run)(const struct input *input);
	int arguments_max;
	bool (*parse)(int count, char **arguments, struct input *input);
} commands[] = {
	{ "entry", inspect_outside_entry, 1, parse_more_lines },
	{ "sealed-entry", inspect_sealed_entry, 0, NULL },
	{ "load-options", inspect_load_options, 0, NULL },
	{ "image", inspect_image, 1, parse_load_options },
	{ "file", inspect_file, 0, NULL },
	{ "kernel", inspect_kernel, 2, parse_kernel_arguments },
	{ "initrd", inspect_initrd, 0, NULL },
	{ "keys", inspect_keys, 0, NULL },
};

/* All of standard input, in memory that the caller frees. */
static bool read_input(const char *name, struct text *ret_input)
{
	size_t capacity = 1 << 20;
	size_t length = 0;
	char *bytes = malloc(capacity);

	while (bytes) {
		char *larger;
		size_t count = fread(bytes + length, 1, capacity - length, stdin);

		length += count;
		if (length < capacity)
			break;
		capacity *= 2;
		larger = realloc(bytes, capacity);
		if (!larger)
			free(bytes);
		bytes = larger;
	}
	if (!bytes || ferror(stdin)) {
		free(bytes);
		log_error_line("%s: cannot read it", name);
		return false;
	}
	*ret_input = (struct text){ .start = bytes, .length = length };
	return true;
}

/* An answer that does not arrive as a whole is none. */
static int finish(const char *name, int result)
{
	bool is_written = fflush(stdout) == 0 && !ferror(stdout);

	if (!is_written)
		log_error_line("%s: cannot write the answer", name);
	return is_written ? result : 1;
}

static int run(size_t command, struct input *input)
{
	int result;

	if (!read_input(input->name, &input->text))
		return 1;
	result = finish(input->name, commands[command].run(input));
	free((void *)(uintptr_t)input->text.start);
	return result;
}

int main(int argc, char **argv)
{
	static struct input input;

	for (size_t i = 0; argc >= 3 && i < ARRAY_SIZE(commands); i++) {
		int count = argc - 3;

		if (strcmp(commands[i].name, argv[1]) != 0)
			continue;
		if (count > commands[i].arguments_max ||
		    (commands[i].parse && !commands[i].parse(count, argv + 3, &input)))
			break;
		input.name = argv[2];
		return run(i, &input);
	}
	(void)fputs(
		"usage: inspect entry|sealed-entry|load-options|image|file|kernel|initrd|keys NAME [MORE | OPTIONS | "
		"LENGTH [PROFILE]] <INPUT\n",
		stderr);
	return 2;
}
