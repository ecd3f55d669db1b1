// SPDX-License-Identifier: BSD-2-Clause
/* The parts of file_kind.c: what each kind of file is called, and what to do instead of booting it. */
#pragma once

#include "boot/file_kind.h"

/* The sentence that follows the kind in a refusal: text_of() in file_kind.c. */
enum file_remedy {
	KERNEL_WANTED,
	OTHER_MACHINE,
	UNPACK,
	SWAPPED_LINES,
	NEWC,
	NAME_A_FILE_IN_IT,
	OUTSIDE,
	NO_DEVICE_TREE,
	UIMAGE,
	UNPACK_THE_KERNEL,
	START_IT,
	DRIVER,
	VMLINUX,
	MULTIBOOT,
	DOWNLOAD,
	COPY_AGAIN,
	UNFINISHED,
	FEWER_SECTIONS,
	ADDON,
	FETCH,
	CUT_OFF,
};

/* Whether the probe has these bytes at `offset`. */
bool probe_has(const struct kernel_probe *probe, size_t offset, const void *bytes, size_t size);

/* Reads a number of up to 4 bytes, little endian. Returns 0 if it does not lie within the probe. */
uint32_t probe_number(const struct kernel_probe *probe, size_t offset, size_t size);

/* Sets the kind, whose `name` is a string literal. Returns true. */
bool file_kind_set(struct file_kind *ret_kind, const char *name, enum file_remedy remedy);

/* Each recognises one family of files, as file_kind_find. */
bool file_kind_find_pe(const struct kernel_probe *probe, struct file_kind *ret_kind);
bool file_kind_find_elf(const struct kernel_probe *probe, struct file_kind *ret_kind);
bool file_kind_find_multiboot(const struct kernel_probe *probe, struct file_kind *ret_kind);
