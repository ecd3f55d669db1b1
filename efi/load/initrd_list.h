// SPDX-License-Identifier: BSD-2-Clause
/* For initrds.c: the initrds of a boot, in Linux's order. */
#pragma once

#include "boot/kexec_image.h"
#include "boot/unified_file.h"
#include "efi/extras/extras.h"
#include "efi/load/load.h"
#include "efi/load/part.h"

enum initrd_kind {
	INITRD_PART,	/* read from a source */
	INITRD_SECTION, /* of a unified image that is already in memory */
	INITRD_EXTRA,	/* made here */
};

/* One initrd while it is loaded. */
struct initrd {
	enum initrd_kind kind;
	struct part_reader reader; /* for a part; otherwise closed */
	enum unified_part section;
	struct extra *extra;
	const char *name;
	uint64_t size;
	uint64_t offset; /* from the beginning of the segment */
};

struct initrd_list {
	bool is_unified; /* the kernel comes in a unified image */
	const struct unified_file *unified;
	struct initrd *initrds;
	size_t count;
};

/* Adds all initrds of a boot; the caller has made room for them. Opens each part until initrd_list_close. */
enum kexec_status initrd_list_fill(struct initrd_list *list, const struct boot_plan *plan, struct sources *sources,
				   const struct extras *extras);

/*
 * Finds the offset of each initrd, and the size of all. With a unified image, the last of several is also padded, as
 * systemd-stub does.
 */
enum kexec_status initrd_list_plan(const struct initrd_list *list, uint64_t *ret_size);

/* Size of the initrds from `first` to `last`, with the padding between them. */
uint64_t initrd_list_size(const struct initrd_list *list, size_t first, size_t last);

/* Size of the initrds that a plan or loader named, without the ones made here that follow them. */
uint64_t initrd_list_named_size(const struct initrd_list *list);

/* Index of the registered initrd, or list->count. */
size_t initrd_list_registered(const struct initrd_list *list);

/*
 * systemd-boot registers its initrds and also names them in the load options, as edk2 does with QEMU's. Finds the named
 * initrd from which on all together, with the padding behind them, have the size of the registered one; list->count if
 * there is none.
 */
size_t initrd_list_twin(const struct initrd_list *list, size_t registered);

void initrd_list_leave_out(struct initrd_list *list, size_t index);
void initrd_list_close(const struct initrd_list *list);
