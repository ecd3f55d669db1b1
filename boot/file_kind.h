// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names a file that no kernel format accepts, for the message that refuses it: most such files are a habit from other
 * loaders, or a mistake. Only the file's first bytes are examined. No decision depends on the answer.
 */
#pragma once

#include <stdbool.h>

#include "boot/kernel_format.h"
#include "boot/text.h"

/* `name` and `remedy` are string literals. */
struct file_kind {
	const char *name;   /* "a gzip file" */
	const char *remedy; /* what to do instead */
	struct text quote;  /* the first printable characters of a text file, in the probe's bytes; otherwise empty */
};

/* Recognises a file by its first bytes. Returns false if it is of no known kind. Logs nothing. */
bool file_kind_find(const struct kernel_probe *probe, struct file_kind *ret_kind);

/* Refuses a file of a known kind: logs its kind, and the remedy. */
enum kexec_status file_kind_refuse(const char *name, const struct file_kind *kind);
