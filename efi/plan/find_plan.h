// SPDX-License-Identifier: BSD-2-Clause
/* Finds out what to boot. */
#pragma once

#include <efi.h>

#include "boot/attempts.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "efi/source/sources.h"

/*
 * Makes the plan for our image, which was started as `image`. Sealed contents of the image come first: then nothing
 * outside it can change what boots. An image is refused if it is marked as sealed and has no sealed contents, or if its
 * sections cannot be read. Otherwise the plan is that of the load options, if they name a kernel; else of the entry
 * file that they name; else of the file beside the image, with .conf in place of .efi. All other lines of the load
 * options are appended to the file's text.
 *
 * An initrd that the program before us has registered is loaded in front of the others. An image with sealed contents
 * refuses it. On a volume that is not a disk, other than QEMU's, it is loaded only if the plan names no initrd there.
 *
 * This plan is that of the first attempt. In each later one `attempts` selects the entry: the file that the entry
 * before named as its fallback, or the next entry that is sealed in the image. A kernel that load options name by
 * linux= is one entry without a fallback: a user who names one kernel gets that one or none.
 *
 * This tells `attempts` which entry it is, and whether another one follows, even if the entry is refused. The caller
 * frees the plan with boot_plan_free. *ret_plan is written on success only.
 */
enum kexec_status find_plan(const EFI_LOADED_IMAGE *image, struct sources *sources, struct attempts *attempts,
			    struct boot_plan *ret_plan);
