// SPDX-License-Identifier: BSD-2-Clause
/* Converts paths. */
#include "boot/volume_path.h"

#include "boot/log.h"
#include "boot/text.h"

/* How much of a path that is too long a message quotes. */
#define QUOTE_MAX 60

enum kexec_status volume_path(const char *name, uint16_t ret_path[VOLUME_PATH_SIZE])
{
	struct text path = text_of_string(name);

	if (path.length >= VOLUME_PATH_SIZE)
		return log_error(KEXEC_TOO_LARGE, "%.*s...: expected a path of at most %u bytes, found %zu",
				 TEXT_ARGS(text_quote(path, QUOTE_MAX)), VOLUME_PATH_SIZE - 1, path.length);
	if (!text_to_utf16(path, ret_path, VOLUME_PATH_SIZE))
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a path in UTF-8, found other bytes", name);
	for (uint16_t *unit = ret_path; *unit; unit++) {
		if (*unit == '/')
			*unit = '\\';
	}
	return KEXEC_OK;
}
