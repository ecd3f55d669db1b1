// SPDX-License-Identifier: BSD-2-Clause
/* Leaves the firmware. */
#include "efi/services/exit.h"

#include <stdarg.h>

#include "boot/log.h"
#include "common/align.h"
#include "common/cpu.h"
#include "common/format.h"
#include "common/serial.h"
#include "common/stop_note.h"
#include "common/string.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"
#include "efi/services/stack_guard.h"

/* If the map still changes after this many attempts, it will not stop. */
#define EXIT_ATTEMPTS_MAX 64

struct exit_state {
	const struct exit_request *request;
	uint64_t map_size;	   /* the firmware's last answer */
	bool has_begun;		   /* the firmware may be half shut down */
	enum kexec_status refusal; /* the sink's */
};

static enum kexec_status report(const struct exit_state *attempt, EFI_STATUS status)
{
	return log_error(status_from_efi(status), "memory map: %s: there is room for 0x%lx bytes, it says 0x%lx",
			 efi_status_name(status), attempt->request->map_capacity, attempt->map_size);
}

static EFI_STATUS try_exit(struct exit_state *attempt)
{
	const struct exit_request *request = attempt->request;
	struct memory_map map;
	EFI_STATUS status;
	UINTN key;

	status = memory_map_get(request->map_addr, request->map_capacity, &map, &key);
	attempt->map_size = map.size;
	if (EFI_ERROR(status))
		return status;
	if (map.size > request->map_capacity || !memmap_valid(&map))
		return EFI_ABORTED;
	attempt->refusal = request->sink(request->context, &map, attempt->has_begun);
	if (attempt->refusal)
		return EFI_ABORTED;
	attempt->has_begun = true;
	stack_guard_leave_firmware();
	return exit_and_take_over(firmware_boot_services->ExitBootServices, firmware_image, key, &request->takeover);
}

/* Writes to the serial line itself, because the console may be gone. */
static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	char line[160];
	va_list args;

	va_start(args, format);
	format_text_va(line, sizeof(line), format, args);
	va_end(args);
	serial_write(line);
}

static bool leave_note(const struct exit_state *attempt, unsigned attempts, EFI_STATUS status)
{
	static uint16_t name[] = STOP_NOTE_NAME;
	EFI_GUID guid = KEXEC_VENDOR_GUID;
	struct stop_note note;

	/* Clear it, because all of it is stored. */
	memset(&note, 0, sizeof(note));
	note.kind = STOP_EXIT;
	note.on_mismatch = attempt->request->on_failure;
	note.entries = attempt->request->entries;
	note.exit.attempts = attempts;
	note.exit.status = status;
	note.exit.map_size = attempt->map_size;
	note.exit.map_capacity = attempt->request->map_capacity;
	return firmware_runtime_services->SetVariable(name, &guid, STOP_NOTE_ATTRIBUTES, stop_note_size(&note),
						      &note) == EFI_SUCCESS;
}

static _Noreturn void give_up(const struct exit_state *attempt, unsigned attempts, EFI_STATUS status)
{
	bool is_remembered = leave_note(attempt, attempts, status);
	bool resets = is_remembered && attempt->request->on_failure == ON_MISMATCH_RESET;
	const char *end = resets ? "resetting" : "halted";

	if (!is_remembered)
		say("kexec: the firmware did not take a note of this\n");
	if (attempt->map_size > attempt->request->map_capacity)
		say("kexec: memory map: expected at most 0x%lx bytes, found 0x%lx; %s\n",
		    attempt->request->map_capacity, attempt->map_size, end);
	else
		say("kexec: ExitBootServices: refused %u times: %s; %s\n", attempts, efi_status_name(status), end);
	if (resets)
		firmware_runtime_services->ResetSystem(EfiResetCold, EFI_ABORTED, 0, NULL);
	cpu_halt();
}

enum kexec_status exit_boot_services(const struct exit_request *request)
{
	struct exit_state attempt = { .request = request };
	EFI_STATUS status = EFI_SUCCESS;
	unsigned attempts = 0;

	while (attempts < EXIT_ATTEMPTS_MAX) {
		status = try_exit(&attempt);
		if (!EFI_ERROR(status))
			return KEXEC_OK;
		if (!attempt.has_begun)
			return attempt.refusal ? attempt.refusal : report(&attempt, status);
		/* A further attempt will find neither a smaller map nor a free destination. */
		if (status == EFI_BUFFER_TOO_SMALL || attempt.refusal)
			break;
		attempts++;
	}
	give_up(&attempt, attempts, status);
}
