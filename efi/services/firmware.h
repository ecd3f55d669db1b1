// SPDX-License-Identifier: BSD-2-Clause
/* The firmware that started us: its tables, its status codes, its watchdog. */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/status.h"

/* Set once by firmware_init. boot_services is gone after ExitBootServices. */
extern EFI_HANDLE firmware_image;
extern EFI_SYSTEM_TABLE *firmware_system_table;
extern EFI_BOOT_SERVICES *firmware_boot_services;
extern EFI_RUNTIME_SERVICES *firmware_runtime_services;

/* Also lets the loader use vector registers, which not all firmware does (boot/control_registers.h). */
void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/*
 * The name of an EFI_STATUS as the UEFI specification has it (appendix D), without EFI_. One that has no name there is
 * given by its number, in a buffer that the next call overwrites.
 */
const char *efi_status_name(EFI_STATUS status);

/* What a failed call of the firmware means for a step, and what a step's end means for our caller. */
enum kexec_status status_from_efi(EFI_STATUS status);
EFI_STATUS status_to_efi(enum kexec_status status);

/*
 * The interface of a protocol on `handle`, or of the first there is of its kind; NULL where there is none. A protocol
 * that is a mark alone may have no interface.
 */
void *firmware_protocol_on(EFI_HANDLE handle, const EFI_GUID *guid);
void *firmware_protocol(const EFI_GUID *guid);

/* The address of a configuration table, NULL where the firmware has none of that kind. */
void *firmware_config_table(const EFI_GUID *guid);

/*
 * Ends the image. Not by returning: GNU-EFI's crt0 does not preserve RDI and RSI, which the firmware's calling
 * convention wants back. The watchdog is switched off, since whoever goes on did not ask for it; CR0 and CR4 are put
 * back.
 */
_Noreturn void firmware_leave(EFI_STATUS status);

/* The size of a device path, its end node included; bounded for one that never ends. */
size_t device_path_size(const EFI_DEVICE_PATH *path);

/*
 * Gives the boot five more minutes: the boot manager arms the watchdog once before it starts an image (UEFI
 * specification 3.1.2), and reading or hashing a large file can outlast that.
 */
void firmware_feed_watchdog(void);
