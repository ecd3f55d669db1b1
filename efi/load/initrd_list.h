// SPDX-License-Identifier: BSD-2-Clause
/* For initrds.c: the initrds of a boot, in the order in which Linux sees them. */
#pragma once

#include "boot/kexec_image.h"
#include "boot/unified_file.h"
#include "efi/extras/extras.h"
#include "efi/load/load.h"
#include "efi/load/part.h"

enum initrd_kind {
	INITRD_PART,	/* read from a source */
	INITRD_SECTION, /* of a unified image, which is in memory already */
	INITRD_EXTRA,	/* made here */
};

/* One initrd while it is loaded. */
struct initrd {
	enum initrd_kind kind;
	struct part_reader reader; /* of a part; closed for all others */
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

/* Adds all initrds of a boot; there is room for them. Each part is open then, until initrd_list_close. */
enum kexec_status initrd_list_fill(struct initrd_list *list, const struct boot_plan *plan, struct sources *sources,
				   const struct extras *extras);

/*
 * Finds out where they go, and how large they are together: of several, the last is padded as well where the kernel
 * comes in a unified image, as by systemd-stub.
 */
enum kexec_status initrd_list_plan(const struct initrd_list *list, uint64_t *ret_size);

/* What the initrds number `first` to `last` take, with the padding between them. */
uint64_t initrd_list_size(const struct initrd_list *list, size_t first, size_t last);

/* What those take that somebody has named, without those behind them that are made here. */
uint64_t initrd_list_named_size(const struct initrd_list *list);

/* The number of the registered one; list->count: there is none. */
size_t initrd_list_registered(const struct initrd_list *list);

/*
 * systemd-boot both registers its initrds and names them in the load options, and so does edk2 with QEMU's. Finds the
 * first of those that the registered one is as long as, with the padding behind them; list->count: there is none.
 */
size_t initrd_list_twin(const struct initrd_list *list, size_t registered);

void initrd_list_leave_out(struct initrd_list *list, size_t index);
void initrd_list_close(const struct initrd_list *list);
