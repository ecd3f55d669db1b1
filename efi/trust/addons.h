// SPDX-License-Identifier: BSD-2-Clause
/* Addons of unified images: PE images that the platform verifies, and that add to command line and initrds. */
#pragma once

#include "boot/digest.h"
#include "boot/status.h"
#include "efi/extras/extras.h"
#include "efi/load/load.h"

/*
 * Asks the platform about each addon. The platform verifies it and measures it into PCR 4. Adds the sections .cmdline,
 * .initrd and .ucode of trusted addons to the extras. Warns of each addon that is not used: because it is not trusted,
 * as anybody can put one there; because it is broken, has a kernel of its own, or is for another kernel (.uname); or
 * because it has nothing to add. Fails if an addon cannot be read.
 */
enum kexec_status addons_load(const struct kernel *kernel, struct digest *digest, struct extras *extras);
