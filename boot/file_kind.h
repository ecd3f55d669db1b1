// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a file is that no kernel format takes: for the line that refuses it, since most of them are a habit of other
 * loaders, or a slip. Only the file's first bytes are looked at, and nothing is decided by the answer.
 */
#pragma once

#include <stdbool.h>

#include "boot/kernel_format.h"
#include "boot/text.h"

/* All but `quote` are string literals. */
struct file_kind {
	const char *name;   /* "a gzip file" */
	const char *remedy; /* what to do instead */
	struct text quote;  /* the first printable characters of a text, in the probe's bytes; else empty */
};

/* Recognises a file by its first bytes. Returns false for one that resembles nothing known. Logs nothing. */
bool file_kind_find(const struct kernel_probe *probe, struct file_kind *ret_kind);

/* Refuses a file that was recognised: says what it is, and the remedy. */
enum kexec_status file_kind_refuse(const char *name, const struct file_kind *kind);
