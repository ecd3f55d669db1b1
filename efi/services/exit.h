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
 * Receives the map each time the firmware calls it final, and accepts or refuses it. After the exit `has_begun`, a
 * refusal counts as a refusal by the firmware; before, the sink logs the reason. Must not allocate.
 */
typedef enum kexec_status exit_map_sink(void *context, const struct memory_map *map, bool has_begun);

/* The operand of LIDT and LGDT. */
struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t addr;
};

/* The CPU's state after the firmware is gone. take_over.asm knows the offsets. */
struct takeover {
	struct table_pointer idt;
	struct table_pointer gdt; /* must contain the firmware's present segments */
	uint32_t reserved;
	uint64_t cr4_bits; /* bits to set */
};

_Static_assert(offsetof(struct takeover, idt) == 0, "take_over.asm: TAKEOVER_IDT");
_Static_assert(offsetof(struct takeover, gdt) == 10, "take_over.asm: TAKEOVER_GDT");
_Static_assert(offsetof(struct takeover, cr4_bits) == 24, "take_over.asm: TAKEOVER_CR4");

struct exit_request {
	uint64_t map_addr;     /* place of the final map */
	uint64_t map_capacity; /* bytes */
	exit_map_sink *sink;
	void *context; /* the sink's */
	struct takeover takeover;
	enum on_mismatch on_failure;	/* if the firmware keeps refusing */
	struct stopped_entries entries; /* for the note */
};

/*
 * Exits the boot services: reads the map, passes it to the sink, and calls for the exit. It retries while the map
 * changes. When this returns KEXEC_OK, interrupts are off, and request->takeover is in force for exceptions.
 *
 * It returns an error only from before the first attempt. After that the firmware may be half shut down, so this
 * neither allocates nor returns. If the firmware keeps refusing, it leaves a note for the next start
 * (common/stop_note.h), and resets or halts the machine, as request->on_failure says. If the note could not be written
 * it halts, because without a note it could reset for ever.
 */
enum kexec_status exit_boot_services(const struct exit_request *request);

/*
 * Calls exit(image, key). On success it takes over: interrupts off, descriptor tables and CR4 as in `takeover`. In
 * take_over.asm.
 */
EFI_STATUS exit_and_take_over(EFI_EXIT_BOOT_SERVICES exit, EFI_HANDLE image, UINTN key,
			      const struct takeover *takeover);
