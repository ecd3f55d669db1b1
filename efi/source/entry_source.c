// SPDX-License-Identifier: BSD-2-Clause
/* Puts the entry together from load options and the file beside the image. */
#include "efi/source/entry_source.h"

#include "boot/imagepath.h"
#include "boot/loadoptions.h"
#include "boot/log.h"
#include "boot/pe.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/source/file.h"
#include "efi/services/firmware.h"

/* EFI_SHELL_PARAMETERS_PROTOCOL is on the handle of whatever a UEFI shell starts (UEFI Shell specification 2.3). */
#define SHELL_PARAMETERS_GUID                                                                                          \
	{                                                                                                              \
		0x752f3136, 0x4e16, 0x4fdc,                                                                            \
		{                                                                                                      \
			0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca                                                 \
		}                                                                                                      \
	}

/* The lines for the sections of a unified image, but for the command line. */
#define ENTRY_OF_SECTIONS_SIZE 128

static enum kexec_status allocate(const char *what, uint64_t size, char **ret_buffer)
{
	EFI_STATUS status;
	void *buffer;

	status = firmware_boot_services->AllocatePool(EfiLoaderData, size, &buffer);
	if (EFI_ERROR(status))
		return log_error(KEXEC_NO_MEMORY, "%s: expected memory for %lu bytes, found %s", what, size,
				 efi_status_name(status));
	*ret_buffer = buffer;
	return KEXEC_OK;
}

/* Parses the image's load options into *ret_buffer, which the caller frees; NULL if there are none. */
static enum kexec_status read_load_options(const EFI_LOADED_IMAGE *image, char **ret_buffer,
					   struct load_options *ret_options)
{
	EFI_GUID shell_guid = SHELL_PARAMETERS_GUID;
	size_t size = image->LoadOptions ? image->LoadOptionsSize : 0;
	size_t parsed_size = size > LOAD_OPTIONS_SIZE_MAX ? 0 : size;
	enum kexec_status status;
	void *parameters;
	bool from_shell;

	*ret_buffer = NULL;
	*ret_options = (struct load_options){ 0 };
	if (size == 0)
		return KEXEC_OK;
	status = allocate("load options", LOAD_OPTIONS_BUFFER_SIZE(parsed_size), ret_buffer);
	if (status)
		return status;
	from_shell = !EFI_ERROR(firmware_boot_services->HandleProtocol(firmware_image, &shell_guid, &parameters));
	load_options_parse(image->LoadOptions, size, from_shell, *ret_buffer, ret_options);
	return KEXEC_OK;
}

/* The path of the file to read: the one that load options name, or the one beside the image. */
static enum kexec_status find_path(const EFI_LOADED_IMAGE *image, const struct load_options *options,
				   char ret_path[ENTRY_SOURCE_PATH_SIZE])
{
	const void *nodes = image->FilePath;
	struct text path = options->entry_path;

	if (path.length >= ENTRY_SOURCE_PATH_SIZE)
		return log_error(KEXEC_TOO_LARGE, "load options: entry=: expected at most %u bytes, found %zu",
				 ENTRY_SOURCE_PATH_SIZE - 1, path.length);
	if (path.length) {
		memcpy(ret_path, path.start, path.length);
		ret_path[path.length] = '\0';
		return KEXEC_OK;
	}
	if (!nodes)
		return log_error(KEXEC_NOT_FOUND,
				 "expected to be started from a file, found no path to look for a .conf beside");
	return image_path_conf(nodes, device_path_size(nodes), ret_path, ENTRY_SOURCE_PATH_SIZE);
}

/* Reads the whole file, then puts a line end and `more` behind it. */
static enum kexec_status read_file_and_append(struct file *file, struct text more, char **ret_buffer,
					      struct text *ret_text)
{
	enum kexec_status status;
	char *end;

	if (file->size >= ENTRY_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes, found %lu", file->path,
				 ENTRY_SIZE_MAX - 1, file->size);
	status = allocate(file->path, file->size + 1 + more.length, ret_buffer);
	if (status)
		return status;
	status = file_read(file, (uintptr_t)*ret_buffer, file->size, NULL);
	if (status)
		return status;
	status = file_expect_end(file);
	if (status)
		return status;
	end = *ret_buffer + file->size;
	*end++ = '\n';
	if (more.length)
		memcpy(end, more.start, more.length);
	*ret_text = (struct text){ .start = *ret_buffer, .length = file->size + 1 + more.length };
	return KEXEC_OK;
}

static enum kexec_status read_from_file(const EFI_LOADED_IMAGE *image, const struct load_options *options,
					struct entry_source *source)
{
	enum kexec_status status;
	struct file file;
	struct text text;

	status = find_path(image, options, source->path);
	if (status)
		return status;
	text = (struct text){ .start = source->path, .length = strlen(source->path) };
	status = file_open(text, &file);
	if (status)
		return status;
	status = read_file_and_append(&file, options->lines, &source->buffer, &text);
	if (!status)
		status = entry_parse(source->path, text, &source->entry);
	file_close(&file);
	return status;
}

static enum kexec_status read_unsealed(const EFI_LOADED_IMAGE *image, struct entry_source *ret_source)
{
	struct load_options options;
	enum kexec_status status;
	char *buffer;

	status = read_load_options(image, &buffer, &options);
	if (status)
		return status;
	if (options.has_linux) {
		ret_source->buffer = buffer;
		return entry_parse("load options", options.lines, &ret_source->entry);
	}
	status = read_from_file(image, &options, ret_source);
	if (buffer)
		firmware_boot_services->FreePool(buffer);
	return status;
}

static void ignore_load_options(const EFI_LOADED_IMAGE *image)
{
	if (image->LoadOptions && image->LoadOptionsSize)
		log_info("load options ignored: what this image boots is sealed in it");
}

static bool find_section(const EFI_LOADED_IMAGE *image, const char *name, struct text *ret_content)
{
	return pe_find_section(image->ImageBase, image->ImageSize, name, ret_content);
}

/* An entry sealed in the image: its signature vouches for the text, and the text for each file. */
static enum kexec_status read_sealed_entry(struct text text, struct entry *ret_entry)
{
	enum kexec_status status;

	while (text.length && text.start[text.length - 1] == '\0')
		text.length--;
	status = entry_parse("sealed entry", text, ret_entry);
	if (!status)
		status = entry_check_sealed(ret_entry);
	ret_entry->sealed = !status;
	return status;
}

static void append(struct text *text, struct text more)
{
	memcpy((char *)text->start + text->length, more.start, more.length);
	text->length += more.length;
}

/* The command line in one line, whatever stands between its words and at its end. */
static void append_command_line(struct text *text, struct text command_line)
{
	char *start = (char *)text->start + text->length;

	append(text, command_line);
	for (char *c = start; c < start + command_line.length; c++) {
		if ((uint8_t)*c < ' ')
			*c = ' ';
	}
}

/* Makes an entry of the sections of a unified kernel image, which are then opened by their names. */
static enum kexec_status read_unified_image(const EFI_LOADED_IMAGE *image, struct text kernel,
					    struct entry_source *source)
{
	static const char *const initrds[] = { ".ucode", ".initrd" };
	struct text command_line = { 0 };
	enum kexec_status status;
	struct text content;
	struct text text = { 0 };

	find_section(image, ".cmdline", &command_line);
	status = allocate("unified image", command_line.length + ENTRY_OF_SECTIONS_SIZE, &source->buffer);
	if (status)
		return status;
	text.start = source->buffer;
	file_serve(".linux", kernel);
	append(&text, TEXT("linux .linux\n"));
	for (size_t i = 0; i < ARRAY_SIZE(initrds); i++) {
		/* One that is empty is refused when it is loaded: somebody wanted an initrd. */
		if (!find_section(image, initrds[i], &content))
			continue;
		file_serve(initrds[i], content);
		append(&text, TEXT("initrd "));
		append(&text, (struct text){ .start = initrds[i], .length = strlen(initrds[i]) });
		append(&text, TEXT("\n"));
	}
	append(&text, TEXT("options "));
	append_command_line(&text, command_line);
	status = entry_parse("unified image", text, &source->entry);
	source->entry.sealed = !status;
	return status;
}

enum kexec_status entry_source_read(const EFI_LOADED_IMAGE *image, struct entry_source *ret_source)
{
	struct text content;

	if (find_section(image, ".entry", &content)) {
		ignore_load_options(image);
		return read_sealed_entry(content, &ret_source->entry);
	}
	if (find_section(image, ".linux", &content)) {
		ignore_load_options(image);
		return read_unified_image(image, content, ret_source);
	}
	return read_unsealed(image, ret_source);
}

void entry_source_free(struct entry_source *source)
{
	if (source->buffer)
		firmware_boot_services->FreePool(source->buffer);
	source->buffer = NULL;
}
