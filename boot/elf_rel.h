// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads a relocatable ELF object (ET_REL, x86-64) as the kernel's kexec_file_load loads its purgatory
 * (kernel/kexec_file.c, arch/x86/kernel/machine_kexec_64.c): parse, place, relocate. Unlike the kernel, it does not
 * trust the object, and it refuses every relocation that does not fit its field.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/elf_object.h"
#include "boot/status.h"

/* Upper limit of the total size of the sections. */
#define ELF_REL_SIZE_MAX (64u << 20)

/* The layout of an object: loaded sections in a row, first those with bytes in the file, then those of zeros. */
struct elf_rel {
	struct elf_object elf;
	uint64_t offsets[ELF_SECTIONS_MAX]; /* of each loaded section, relative to the load address */
	uint64_t file_size;		    /* bytes of the object, gaps included */
	uint64_t mem_size;		    /* with the zeroed sections behind them */
	uint64_t align;			    /* of the load address: a power of two */
	uint64_t code_end;		    /* end of the last section with code, relative to the load address */
};

/* A symbol defined in an allocated section. */
struct elf_rel_symbol {
	uint64_t offset; /* relative to the load address */
	uint64_t size;
	bool in_bss; /* lies in a section without bytes in the file */
};

/*
 * Checks the object's headers, sections and tables against each other and against `size`, and lays its sections out.
 * Messages begin with `name`. `name` and `bytes` must outlive *ret_object. Fails with a message that names the field,
 * the value expected and the one found.
 */
enum kexec_status elf_rel_parse(const char *name, const void *bytes, size_t size, struct elf_rel *ret_object);

/* Copies the object to `dst` (object->mem_size bytes), gaps and .bss zeroed. */
void elf_rel_copy(const struct elf_rel *object, void *dst);

/*
 * Applies all relocations to the copy at `dst`, for execution at address `addr`, which may differ from `dst`. It
 * supports R_X86_64_NONE, 64, 32, 32S, PC32, PLT32 and PC64.
 */
enum kexec_status elf_rel_relocate(const struct elf_rel *object, void *dst, uint64_t addr);

/*
 * Finds the global symbol `name`. Refuses undefined, common and absolute symbols, and one that passes the end of its
 * section.
 */
enum kexec_status elf_rel_find_symbol(const struct elf_rel *object, const char *name,
				      struct elf_rel_symbol *ret_symbol);
