// SPDX-License-Identifier: BSD-2-Clause
/* The loader's view of the purgatory: a relocatable object that becomes a segment, with symbols to set. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot/bootparams.h"
#include "boot/descriptor_tables.h"
#include "boot/elf_rel.h"
#include "boot/kexec_image.h"
#include "boot/pagetable.h"
#include "common/purgatory_abi.h"

/* A purgatory in its place. The image owns the segment. The caller owns the object's bytes, which must stay. */
struct purgatory {
	struct elf_rel object;
	const struct kexec_segment *segment;
	uint64_t entry_point; /* physical address of the symbol purgatory_start */
};

/* Loads the relocatable object `bytes` as a segment of `kexec_image`, and relocates it. Its symbols are not set yet. */
enum kexec_status purgatory_load(struct kexec_image *kexec_image, const void *bytes, size_t size,
				 struct purgatory *ret_purgatory);

/*
 * Finds the object `name` of `size` bytes in the loaded purgatory. Refuses a symbol that is unknown or undefined, has
 * another size, or is in .bss, which has no bytes in the file.
 */
enum kexec_status purgatory_find_symbol(const struct purgatory *purgatory, const char *name, size_t size,
					void **ret_place);

/* Copies a value into, or out of, the symbol `name`, which must have `size` bytes. */
enum kexec_status purgatory_set_symbol(const struct purgatory *purgatory, const char *name, const void *value,
				       size_t size);
enum kexec_status purgatory_get_symbol(const struct purgatory *purgatory, const char *name, void *ret_value,
				       size_t size);

/* The same for a symbol of common/purgatory_abi.h. `value` must point to an object of exactly its size. */
#define purgatory_set(purgatory, symbol, value)                                                                        \
	({                                                                                                             \
		_Static_assert(sizeof(*(value)) == sizeof(symbol), "the value does not have the size of " #symbol);    \
		purgatory_set_symbol((purgatory), #symbol, (value), sizeof(symbol));                                   \
	})

/* Finds a symbol of common/purgatory_abi.h. */
#define purgatory_find(purgatory, symbol, ret_place)                                                                   \
	purgatory_find_symbol((purgatory), #symbol, sizeof(symbol), (ret_place))

/*
 * Tells the purgatory about Linux's screen, as far as it lies in `framebuffer`, which is mapped. Without a screen the
 * purgatory has none.
 */
enum kexec_status purgatory_set_screen(const struct purgatory *purgatory, const struct screen_info *info,
				       const struct mapped_range *framebuffer);

/*
 * Builds the purgatory's GDT and IDT, which its own digest covers. *ret_take_at_once: the loader can load them while
 * the CPU uses the segments `before`; otherwise only the purgatory can.
 */
enum kexec_status purgatory_set_tables(const struct purgatory *purgatory, const struct segments *before,
				       bool *ret_take_at_once);

/* The part of the segment behind its code, in whole pages: constants, data and stack. */
struct mapped_range purgatory_data(const struct purgatory *purgatory);
