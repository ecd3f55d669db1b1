// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE): volatile EFI variables by which the booted system
 * learns who loaded it and how long that took; bootctl and systemd-analyze show them. What a loader before us has set
 * is left alone; what an operating system has planted is deleted. A firmware that takes no variables costs a warning,
 * never the boot.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot/plan.h"

/*
 * Says that we have started, from which file and under which firmware. Call it first: it takes the time, and deletes
 * the variables that no loader has set in this boot (efi/trust/planted.h).
 */
void loader_interface_start(const EFI_LOADED_IMAGE *image);

/*
 * Says that we are about to leave for the kernel, by which entry, and leaves our log as the variable KexecLog. Where we
 * are a stub, says so in the stub's variables: in the place of a unified image's (`is_unified`), or started by another
 * loader. Those are replaced, whoever has set them.
 */
void loader_interface_finish(const struct boot_plan *plan, bool is_unified);

/* Takes back what only holds if this boot goes on. What the next one says takes its place. */
void loader_interface_take_back(void);

/*
 * Returns what to return to the caller after a failure, once everything is taken back. A boot
 * menu that speaks this interface (systemd-boot) shows itself again only after a success; after an error it gives up
 * altogether. So it gets a success, once the user has had the time to read why, or has pressed a key.
 */
EFI_STATUS loader_interface_failed(EFI_STATUS status);
