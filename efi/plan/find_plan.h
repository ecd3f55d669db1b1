// SPDX-License-Identifier: BSD-2-Clause
/* Finds out what to boot. */
#pragma once

#include <efi.h>

#include "boot/attempts.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "efi/source/sources.h"

/*
 * Makes the plan for our image, which was started as `image`. What is sealed in the image comes first: nothing outside
 * it can then change what boots. An image that is marked as sealed and has nothing sealed in it, and one of which that
 * cannot be told, is refused. Else the plan is what the load options say, if they name a kernel; else the entry file
 * that they name; else the file beside the image, with .conf in place of .efi. Whatever else the load options say is
 * appended to the file's text.
 *
 * An initrd that is registered for whatever the program before us starts is loaded in front of the others, and refused
 * by an image with something sealed in it. On a volume that is no disk, other than QEMU's, it is loaded only where no
 * initrd is named.
 *
 * That is the first attempt. In each other one the entry is what `attempts` says: the file that an entry before has
 * named as its fallback, or the next one that is sealed in the image. What load options name by linux= is one entry
 * without a fallback: whoever names one kernel gets that or none.
 *
 * `attempts` learns which entry it is, and whether another one follows it: also where the entry is refused. The caller
 * frees the plan with boot_plan_free. *ret_plan is written on success only.
 */
enum kexec_status find_plan(const EFI_LOADED_IMAGE *image, struct sources *sources, struct attempts *attempts,
			    struct boot_plan *ret_plan);
