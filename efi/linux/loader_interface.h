// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE): volatile EFI variables that tell the booted system who
 * loaded it and how long that took. bootctl and systemd-analyze show them. Values that a loader before us has set stay;
 * variables that an operating system has planted are deleted. If the firmware does not accept variables, the boot
 * continues with a warning.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot/plan.h"

/*
 * Reports that we have started, from which file and under which firmware. Call it first: it takes the time, and deletes
 * the variables that no loader has set in this boot (efi/trust/planted.h).
 */
void loader_interface_start(const EFI_LOADED_IMAGE *image);

/*
 * Reports that we are about to leave for the kernel, and by which entry, and leaves our log as the variable KexecLog.
 * If we are a stub, it also sets the stub's variables, and replaces any values. We are a stub if the kernel is in a
 * unified image (`is_unified`), or if another loader started us.
 */
void loader_interface_finish(const struct boot_plan *plan, bool is_unified);

/* Deletes the variables that are wrong if this boot fails. The next boot replaces the others. */
void loader_interface_take_back(void);

/*
 * Returns the status for our caller after a failure. Call it when everything is taken back. A boot menu that speaks
 * this interface (systemd-boot) shows itself again only after a success; after an error it gives up. So it gets a
 * success, after the user has had time to read the error, or has pressed a key.
 */
EFI_STATUS loader_interface_failed(EFI_STATUS status);
