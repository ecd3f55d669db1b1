// SPDX-License-Identifier: BSD-2-Clause
/* The exit from the firmware (UEFI specification 7.4.6, EFI_BOOT_SERVICES.ExitBootServices). */
#pragma once

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/status.h"
#include "common/purgatory_abi.h"

/*
 * Takes in the map that the firmware calls final, each time it does, or refuses it. Once the exit `has_begun`, that is
 * treated as a refusal by the firmware; before, the sink logs why. Allocates nothing.
 */
typedef enum kexec_status exit_map_sink(void *context, const struct memory_map *map, bool has_begun);

/* What LIDT and LGDT load. */
struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t addr;
};

/* What the CPU gets when the firmware has gone. take_over.asm knows where things are in it. */
struct takeover {
	struct table_pointer idt;
	struct table_pointer gdt; /* which must have the segments that the firmware ran with */
	uint32_t reserved;
	uint64_t cr4_bits; /* to be set */
};

_Static_assert(offsetof(struct takeover, idt) == 0, "take_over.asm: TAKEOVER_IDT");
_Static_assert(offsetof(struct takeover, gdt) == 10, "take_over.asm: TAKEOVER_GDT");
_Static_assert(offsetof(struct takeover, cr4_bits) == 24, "take_over.asm: TAKEOVER_CR4");

struct exit_request {
	uint64_t map_addr;     /* where the final map goes */
	uint64_t map_capacity; /* bytes */
	exit_map_sink *sink;
	void *context; /* the sink's */
	struct takeover takeover;
	enum on_mismatch on_failure;	/* what to do where the firmware keeps refusing */
	struct stopped_entries entries; /* for the note of it */
};

/*
 * Exits the boot services: reads the map, hands it to the sink, and asks for the exit, again while the map changes.
 * When this returns KEXEC_OK interrupts are off, and exceptions go where request->takeover says.
 *
 * An error is returned only from before the first attempt to exit. After it the firmware may be half shut down, so
 * nothing allocates or returns any more. If it keeps refusing, a note is left for the next start (common/stop_note.h),
 * and the machine is reset or halted as request->on_failure says; it halts as well where the note could not be written,
 * since a reset that nothing remembers would be one of many.
 */
enum kexec_status exit_boot_services(const struct exit_request *request);

/*
 * Calls exit(image, key) and, where that succeeds, takes over: interrupts off, descriptor tables and CR4 as `takeover`
 * says. In take_over.asm.
 */
EFI_STATUS exit_and_take_over(EFI_EXIT_BOOT_SERVICES exit, EFI_HANDLE image, UINTN key,
			      const struct takeover *takeover);
