// SPDX-License-Identifier: BSD-2-Clause
/* Hooks of the other services: protocols, images, variables, and the exit. */
#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/firmware/difficult.h"

EFI_BOOT_SERVICES original_services;
static EFI_SET_VARIABLE original_set_variable;

/* The image's [start, end). A fault may change the firmware's answer, so it is recorded here. */
static uintptr_t app_start;
static uintptr_t app_end;
static bool is_last;
static bool exit_reached;
static uint64_t watchdog_count;

void app_set(const EFI_LOADED_IMAGE *image)
{
	app_start = (uintptr_t)image->ImageBase;
	app_end = app_start + image->ImageSize;
}

bool app_contains(const void *address)
{
	return (uintptr_t)address >= app_start && (uintptr_t)address < app_end;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **protocol)
{
	if (CALLED_BY_APP() && fault_hits(FAULT_PROTOCOL_ERROR))
		return EFI_UNSUPPORTED;
	return original_services.HandleProtocol(handle, guid, protocol);
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration, void **protocol)
{
	if (CALLED_BY_APP() && fault_hits(FAULT_PROTOCOL_ERROR))
		return EFI_NOT_FOUND;
	return original_services.LocateProtocol(guid, registration, protocol);
}

static EFI_STATUS EFIAPI locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *count,
					      EFI_HANDLE **handles)
{
	bool by_app = CALLED_BY_APP();
	EFI_STATUS status;

	if (by_app && (fault_hits(FAULT_PROTOCOL_ERROR) || fault_hits(FAULT_OUT_OF_MEMORY)))
		return EFI_OUT_OF_RESOURCES;
	status = original_services.LocateHandleBuffer(how, guid, key, count, handles);
	if (by_app && !EFI_ERROR(status))
		ledger_add(HOLDING_POOL, (uintptr_t)*handles, *count * sizeof(EFI_HANDLE));
	return status;
}

/* The size that the firmware allocated for an image. */
static uint64_t image_size(EFI_HANDLE handle)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *image;

	if (EFI_ERROR(original_services.HandleProtocol(handle, &guid, (void **)&image)))
		return 0;
	return align_up(image->ImageSize, PAGE_SIZE);
}

/* Returns a violation as edk2 does for an image whose start its policy defers: an error and a valid handle. */
static EFI_STATUS EFIAPI load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, void *source, UINTN size,
				    EFI_HANDLE *handle)
{
	bool by_app = CALLED_BY_APP();
	EFI_STATUS status;

	if (by_app && fault_hits(FAULT_LOAD_IMAGE_ERROR))
		return EFIERR(current_run.faults[FAULT_LOAD_IMAGE_ERROR].size);
	status = original_services.LoadImage(policy, parent, path, source, size, handle);
	if (!by_app || EFI_ERROR(status))
		return status;
	ledger_add(HOLDING_IMAGE, (uintptr_t)*handle, image_size(*handle));
	return fault_hits(FAULT_LOAD_IMAGE_VIOLATION) ? EFI_SECURITY_VIOLATION : status;
}

static EFI_STATUS EFIAPI unload_image(EFI_HANDLE handle)
{
	if (CALLED_BY_APP())
		ledger_remove(HOLDING_IMAGE, (uintptr_t)handle);
	return original_services.UnloadImage(handle);
}

/* Fails as for a caller above TPL_APPLICATION. */
static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *guid, UINT32 attributes, UINTN size, void *data)
{
	const struct fault_state *fault = &current_run.faults[FAULT_SET_VARIABLE_FAILS];

	if (CALLED_BY_APP() && fault_hits(FAULT_SET_VARIABLE_FAILS))
		return fault->calls % 2 ? EFI_OUT_OF_RESOURCES : EFI_WRITE_PROTECTED;
	return original_set_variable(name, guid, attributes, size, data);
}

/* Returns at once, without waiting. */
static EFI_STATUS EFIAPI stall(UINTN usec)
{
	if (CALLED_BY_APP() && fault_hits(FAULT_STALL_FAILS))
		return EFI_DEVICE_ERROR;
	return original_services.Stall(usec);
}

static EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size, CHAR16 *text)
{
	if (CALLED_BY_APP()) {
		watchdog_count++;
		if (fault_hits(FAULT_WATCHDOG_FAILS))
			return EFI_DEVICE_ERROR;
	}
	return original_services.SetWatchdogTimer(seconds, code, size, text);
}

/* The runtime service outlives this program, so its hook is removed first. */
static void prepare_exit(void)
{
	if (exit_reached)
		return;
	exit_reached = true;
	firmware_runtime_services->SetVariable = original_set_variable;
	say("reached the exit: fired %u reads %lu bytes %lu watchdog %lu", fault_fired(), files_reads(),
	    files_bytes_read(), watchdog_count);
	say("held at most %lu bytes, and %lu in images", ledger_most_held(), ledger_most_loaded());
}

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key)
{
	bool swept = current_run.swept != FAULT_NONE && current_run.faults[current_run.swept].fired;

	prepare_exit();
	if (!is_last || swept)
		original_services.Exit(image, EFI_SUCCESS, 0, NULL);
	/* Either of the two makes the map key stale, so the firmware itself refuses. */
	if (fault_hits_first(FAULT_EXIT_REFUSED))
		occupy_page();
	if (current_run.faults[FAULT_MAP_GROWS].set && !current_run.faults[FAULT_MAP_GROWS].fired)
		occupy_grow_map();
	return original_services.ExitBootServices(image, key);
}

void services_hook(void)
{
	exit_reached = false;
	watchdog_count = 0;
	original_set_variable = firmware_runtime_services->SetVariable;
	firmware_boot_services->HandleProtocol = handle_protocol;
	firmware_boot_services->LocateProtocol = locate_protocol;
	firmware_boot_services->LocateHandleBuffer = locate_handle_buffer;
	firmware_boot_services->LoadImage = load_image;
	firmware_boot_services->UnloadImage = unload_image;
	firmware_boot_services->Stall = stall;
	firmware_boot_services->SetWatchdogTimer = set_watchdog_timer;
	firmware_boot_services->ExitBootServices = exit_boot_services;
	firmware_runtime_services->SetVariable = set_variable;
}

void services_unhook(void)
{
	*firmware_boot_services = original_services;
	firmware_runtime_services->SetVariable = original_set_variable;
}

void services_set_last(bool last)
{
	is_last = last;
}

bool services_exit_reached(void)
{
	return exit_reached;
}
