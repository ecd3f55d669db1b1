// SPDX-License-Identifier: BSD-2-Clause
/*
 * Variables that tell Linux about this boot, and that nobody in this boot has set: an operating system may have left
 * them, on any disk of the machine. By LoaderDevicePartUUID systemd picks the root disk.
 */
#pragma once

#include "boot/plan.h"
#include "boot/status.h"

/*
 * Deletes all variables of the Boot Loader Interface that a loader or stub sets as volatile (systemd.io, "The Boot
 * Loader Interface"; systemd-boot(7); systemd-stub(7)), and our own KexecLog, if they do not have exactly the
 * attributes that those give them. Says so in one line. Call it before any of them is read or set.
 */
void planted_delete(void);

/*
 * Refuses a plan that relies on who vouches for it (sealed in our image, or a signature is required) where the firmware
 * has kept a variable that planted_delete wanted gone: Linux would believe it. With any other plan the boot goes on.
 */
enum kexec_status planted_check(const struct boot_plan *plan);
