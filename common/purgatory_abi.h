// SPDX-License-Identifier: BSD-2-Clause
/*
 * The loader's instructions to the purgatory: symbols that the loader looks up by name in the relocatable object and
 * sets before it jumps. Only this header states name, type and size: the purgatory defines the symbols, the loader
 * takes their sizeof. sha_regions, sha256_digest and the segment limit are those of the kernel's kexec
 * (include/linux/purgatory.h, include/uapi/linux/kexec.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/page_record.h"

#define KEXEC_SEGMENT_MAX 16
#define SHA256_DIGEST_SIZE 32
#define REGION_NAME_SIZE 16

/* A segment made of files is several regions, one for each file. */
#define REGION_MAX 32

/* Puts a symbol into a section that has bytes in the file. The loader cannot set symbols in .bss. */
#define PURGATORY_DATA __attribute__((section(".kexec-purgatory")))

/*
 * The same for the digests, which no digest can cover. They lie behind code, constants and PURGATORY_DATA, so one
 * range, from the purgatory's beginning to the digests, holds everything that is final before the exit. They are
 * aligned, so that range has no padding of zeros at its end (common/region.h).
 */
#define PURGATORY_DIGESTS __attribute__((section(".kexec-digests"), aligned(64)))

/*
 * Behind the digests: symbols that the loader sets after hashing. No digest covers them; they do not decide what runs.
 */
#define PURGATORY_LATE __attribute__((section(".kexec-late")))

/* One range of physical memory that the digest covers. A region of length 0 is unused. */
struct sha_region {
	uint64_t start;
	uint64_t len;
};

/*
 * The kernel's entry, where the purgatory jumps if nothing changed: 64-bit boot protocol,
 * Documentation/arch/x86/boot.rst.
 */
struct kernel_entry {
	uint64_t rip; /* load address + 0x200 */
	uint64_t rsi; /* struct boot_params */
};

/*
 * A kernel with a fixed address that the loader could not read to its place, because the firmware was using it. The
 * purgatory copies `size` bytes, whole pages, once it has verified everything. Source and destination do not overlap,
 * and nothing else that is still needed lies at the destination. All zero: the kernel runs where it is.
 */
struct kernel_move {
	uint64_t from;
	uint64_t to;
	uint64_t size;
};

/* How the purgatory ends once it has reported a mismatch, or an exception. */
enum on_mismatch {
	ON_MISMATCH_HALT = 0,
	ON_MISMATCH_RESET = 1,
};

/*
 * The entries that a note is about: those whose starts were stopped in a row. Each is the beginning of the SHA-256 of
 * the entry's text, and never 0. Zeros fill the rest. All zero: the start had no choice of entries.
 */
#define STOPPED_ENTRIES_MAX 8

struct stopped_entries {
	uint64_t list[STOPPED_ENTRIES_MAX];
};

/*
 * How the purgatory reaches the firmware: the physical address of EFI_RUNTIME_SERVICES, or 0 if there is none. It is
 * the table's address, not the services': ExitBootServices may replace the services in the table. U-Boot does, and the
 * former services need code that is gone.
 */
struct purgatory_policy {
	uint64_t runtime_services;
	uint64_t on_mismatch;		/* enum on_mismatch */
	struct stopped_entries entries; /* for its note, including the entry that is started */
};

/* A linear framebuffer for the purgatory to write into. All zero: there is none. */
struct purgatory_screen {
	uint64_t addr;
	uint32_t width;	     /* pixels */
	uint32_t height;     /* pixels */
	uint32_t line_size;  /* bytes from one line to the next */
	uint32_t pixel_size; /* bytes */
};

/* Set if the user asked for verbose: the frequency of the time stamp counter, and its value when the exit began. */
struct purgatory_clock {
	uint64_t ticks_per_msec; /* 0: no times wanted */
	uint64_t exit_ticks;
};

/*
 * The descriptor tables in force from the return of ExitBootServices until the kernel loads its own: Intel SDM volume
 * 3, 3.5.1 and 6.14.1. Selectors up to 0xf8: the kernel's, and those that the firmware ran with.
 */
#define GDT_ENTRIES 32
#define IDT_GATES 32

struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t flags;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

/* The code of one gate: purgatory_exception_entries holds IDT_GATES of them. */
#define EXCEPTION_ENTRY_SIZE 16

_Static_assert(sizeof(struct idt_gate) == 16, "Intel SDM volume 3, figure 6-8");
_Static_assert(sizeof(struct sha_region) == 16, "two quads");
_Static_assert(offsetof(struct kernel_entry, rip) == 0, "start.asm reads it here");
_Static_assert(offsetof(struct kernel_entry, rsi) == 8, "start.asm reads it here");

/* Hidden: otherwise clang reaches them through a GOT, which a relocatable object does not have. */
#pragma GCC visibility push(hidden)

/* The regions, and their names in messages (NUL-terminated). */
extern struct sha_region purgatory_sha_regions[REGION_MAX];
extern char purgatory_region_names[REGION_MAX][REGION_NAME_SIZE];

/* The digest of each region (common/region.h): the first that differs names the region that changed. */
extern uint8_t purgatory_region_digests[REGION_MAX][SHA256_DIGEST_SIZE];

/* The digest of the list of these digests: the verdict. */
extern uint8_t purgatory_sha256_digest[SHA256_DIGEST_SIZE];

extern struct kernel_entry purgatory_kernel_entry;

extern struct kernel_move purgatory_kernel_move;

extern struct purgatory_policy purgatory_policy;

/* If the record is off, all ranges are unused. */
extern struct page_record purgatory_page_record;

extern struct purgatory_screen purgatory_screen;

extern struct purgatory_clock purgatory_clock;

extern uint64_t purgatory_gdt[GDT_ENTRIES];

extern struct idt_gate purgatory_idt[IDT_GATES];

extern const uint8_t purgatory_exception_entries[IDT_GATES * EXCEPTION_ENTRY_SIZE];

#pragma GCC visibility pop
