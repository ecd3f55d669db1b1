// SPDX-License-Identifier: BSD-2-Clause
/* Sidecars of unified images, and the archives in which the loader hands them over. */
#include "tools/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "boot/cpio.h"
#include "boot/sidecar.h"
#include "boot/volume_path.h"

int inspect_sidecar_folder(const struct input *input)
{
	char folder[VOLUME_PATH_SIZE];

	if (sidecar_folder(text_of_string(input->name), folder, sizeof(folder)))
		put_text(text_of_string(folder));
	else
		(void)printf("null");
	(void)putchar('\n');
	return 0;
}

/* Takes the next string, which ends with a NUL. Returns false if no NUL is left. */
static bool take_string(struct text *rest, struct text *ret_string)
{
	size_t length = 0;

	while (length < rest->length && rest->start[length])
		length++;
	if (length == rest->length)
		return false;
	*ret_string = (struct text){ .start = rest->start, .length = length };
	text_drop(rest, length + 1);
	return true;
}

int inspect_sidecars(const struct input *input)
{
	static const char *const kinds[] = {
		[SIDECAR_NONE] = "null",	 [SIDECAR_CREDENTIAL] = "\"credential\"",
		[SIDECAR_SYSEXT] = "\"sysext\"", [SIDECAR_CONFEXT] = "\"confext\"",
		[SIDECAR_ADDON] = "\"addon\"",
	};
	struct text rest = input->text;
	struct text name;

	(void)putchar('[');
	for (size_t i = 0; take_string(&rest, &name); i++) {
		put_separator(i);
		(void)fputs(kinds[sidecar_is_name(name) ? sidecar_kind(name) : SIDECAR_NONE], stdout);
	}
	(void)printf("]\n");
	return 0;
}

/* Writes the bytes of an archive up to the content of the next file, or up to its end. */
static void put_piece(const struct cpio *cpio, uint64_t *start, uint64_t end, size_t index)
{
	if (!cpio->bytes)
		return;
	put_separator(index);
	put_text((struct text){ .start = (const char *)cpio->bytes + *start, .length = end - *start });
}

/* Counts the bytes of the archive if `bytes` is NULL, or else makes it and writes the parts around the contents. */
static bool pack(const struct input *input, void *bytes, uint64_t capacity, uint64_t *ret_size)
{
	const struct cpio_folder folder = {
		.path = input->name,
		.mode = (uint16_t)input->mode,
		.file_mode = (uint16_t)input->file_mode,
	};
	struct text rest = input->text;
	uint64_t start = 0;
	size_t index = 0;
	struct text name;
	struct text digits;
	struct cpio cpio;

	if (cpio_start(&cpio, &folder, bytes, capacity))
		return false;
	for (; take_string(&rest, &name) && take_string(&rest, &digits); index++) {
		uint8_t *content;
		uint64_t size;

		if (!text_take_number(&digits, UINT32_MAX, &size) || digits.length ||
		    cpio_add_file(&cpio, name.start, size, &content))
			return false;
		if (content) {
			uint64_t place = (uint64_t)(content - cpio.bytes);

			put_piece(&cpio, &start, place, index);
			start = place + size;
		}
	}
	if (cpio_finish(&cpio))
		return false;
	put_piece(&cpio, &start, cpio.size, index);
	*ret_size = cpio.size;
	return true;
}

int inspect_archive(const struct input *input)
{
	uint64_t size;
	uint8_t *bytes;
	bool is_good;

	if (!pack(input, NULL, 0, &size))
		return 1;
	/* The contents are never written, so their pages cost nothing. */
	bytes = calloc(1, size);
	if (!bytes)
		return 1;
	(void)putchar('[');
	is_good = pack(input, bytes, size, &size);
	(void)printf("]\n");
	free(bytes);
	return is_good ? 0 : 1;
}

/* Answers null if the loader would use nothing of the addon. */
int inspect_addon(const struct input *input)
{
	const struct pe_image file = file_of(input);
	struct unified_image unified = { 0 };

	if (pe_check_headers(input->name, &file) || unified_addon_find(input->name, &file, &unified))
		(void)printf("null");
	else
		put_unified_image(&unified);
	(void)putchar('\n');
	return 0;
}
