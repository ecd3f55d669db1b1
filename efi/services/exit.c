// SPDX-License-Identifier: BSD-2-Clause
/* Leaves the firmware. */
#include "efi/services/exit.h"

#include <stdarg.h>

#include "boot/log.h"
#include "common/align.h"
#include "common/cpu.h"
#include "common/format.h"
#include "common/serial.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"

/*
 * The map grows by what is allocated from here on, and some firmware adds a lot at the exit itself: a guest's, say,
 * that accepts all its memory then. Once an exit has been refused there is no way to get more room that could not
 * fail, so there is plenty from the start; hashing it takes no time that could be noticed.
 */
#define MAP_HEADROOM_DESCRIPTORS 1024
#define MAP_HEADROOM_FACTOR 2

/* A map that still changes after so many attempts changes for ever. */
#define EXIT_ATTEMPTS_MAX 64

uint64_t exit_map_capacity(const struct memory_map *map)
{
	return align_up(MAP_HEADROOM_FACTOR * map->size + MAP_HEADROOM_DESCRIPTORS * map->descriptor_size, PAGE_SIZE);
}

struct exit_state {
	uint64_t map_addr;
	uint64_t capacity;
	exit_map_sink *sink;
	void *context;
	uint64_t map_size; /* as the firmware said last */
	bool has_begun;	   /* the firmware may be half shut down */
};

static EFI_STATUS try_exit(struct exit_state *attempt)
{
	struct memory_map map;
	EFI_STATUS status;
	UINTN key;

	status = memory_map_get(attempt->map_addr, attempt->capacity, &map, &key);
	attempt->map_size = map.size;
	if (EFI_ERROR(status))
		return status;
	if (map.size > attempt->capacity || !memmap_valid(&map))
		return EFI_ABORTED;
	attempt->sink(attempt->context, &map);
	attempt->has_begun = true;
	return firmware_boot_services->ExitBootServices(firmware_image, key);
}

/* The console may be gone by now, so this speaks by itself. */
static __attribute__((format(printf, 1, 2))) _Noreturn void give_up(const char *format, ...)
{
	char reason[128];
	va_list args;

	va_start(args, format);
	format_text_va(reason, sizeof(reason), format, args);
	va_end(args);
	serial_write("kexec: ");
	serial_write(reason);
	serial_write("; resetting\n");
	firmware_runtime_services->ResetSystem(EfiResetCold, EFI_ABORTED, 0, NULL);
	cpu_halt();
}

enum kexec_status exit_boot_services(uint64_t map_addr, uint64_t capacity, exit_map_sink *sink, void *context)
{
	struct exit_state attempt = { .map_addr = map_addr, .capacity = capacity, .sink = sink, .context = context };
	EFI_STATUS status = EFI_SUCCESS;

	for (unsigned i = 0; i < EXIT_ATTEMPTS_MAX; i++) {
		status = try_exit(&attempt);
		if (!EFI_ERROR(status))
			return KEXEC_OK;
		if (!attempt.has_begun)
			return log_error(status_from_efi(status),
					 "memory map: expected at most 0x%lx bytes, found 0x%lx: %s", capacity,
					 attempt.map_size, efi_status_name(status));
		/* No attempt will find it smaller. */
		if (status == EFI_BUFFER_TOO_SMALL)
			give_up("memory map: expected at most 0x%lx bytes, found 0x%lx", capacity, attempt.map_size);
	}
	give_up("ExitBootServices: refused %u times: %s", EXIT_ATTEMPTS_MAX, efi_status_name(status));
}
