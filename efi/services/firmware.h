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
 * The name of an EFI_STATUS as in the UEFI specification (appendix D), without EFI_. Any other status is given by its
 * number, in a buffer that the next call overwrites.
 */
const char *efi_status_name(EFI_STATUS status);

/* Convert the status of a failed call of the firmware to ours, and our status to that for our caller. */
enum kexec_status status_from_efi(EFI_STATUS status);
EFI_STATUS status_to_efi(enum kexec_status status);

/*
 * The interface of a protocol on `handle`, or the first of that protocol on any handle; NULL if there is none. The
 * interface of a protocol that only marks its handle may be NULL.
 */
void *firmware_protocol_on(EFI_HANDLE handle, const EFI_GUID *guid);
void *firmware_protocol(const EFI_GUID *guid);

/* The address of a configuration table; NULL if the firmware has none of that kind. */
void *firmware_config_table(const EFI_GUID *guid);

/*
 * Ends the image by Exit(), and does not return: GNU-EFI's crt0 does not preserve RDI and RSI, which the firmware's
 * calling convention requires. Turns the watchdog off, because the next program did not ask for it. Restores CR0 and
 * CR4.
 */
_Noreturn void firmware_leave(EFI_STATUS status);

/* The size of a device path, including its end node. It is limited, in case the path has no end. */
size_t device_path_size(const EFI_DEVICE_PATH *path);

/*
 * Gives the boot five more minutes: the boot manager arms the watchdog once before it starts an image (UEFI
 * specification 3.1.2), and reading or hashing a large file can outlast that.
 */
void firmware_feed_watchdog(void);
