// SPDX-License-Identifier: BSD-2-Clause
/*
 * Planted variables: they claim to tell Linux about this boot, but nobody in this boot has set them. An operating
 * system on any disk of the machine may have left them. systemd chooses the root disk by LoaderDevicePartUUID.
 */
#pragma once

#include "boot/plan.h"
#include "boot/status.h"

/*
 * Deletes planted variables: those of the Boot Loader Interface that a loader or stub sets as volatile (systemd.io,
 * "The Boot Loader Interface"; systemd-boot(7); systemd-stub(7)), those that shim leaves for the operating system, and
 * our own KexecLog, unless they have exactly the attributes that loader, stub or shim give them. Logs their names in
 * one line. Call it before any of them is read or set.
 */
void planted_delete(void);

/*
 * Refuses a plan that relies on trust (it is sealed in our image, or requires a signature) if the firmware has kept a
 * variable that planted_delete tried to delete, because Linux would believe it. Any other plan boots.
 */
enum kexec_status planted_check(const struct boot_plan *plan);
