// SPDX-License-Identifier: BSD-2-Clause
/* Addons of unified images: PE images that the platform verifies, and that add to command line and initrds. */
#pragma once

#include "boot/digest.h"
#include "boot/status.h"
#include "efi/extras/extras.h"
#include "efi/load/load.h"

/*
 * Shows each addon to the platform, which verifies it and measures it into PCR 4, and adds the sections of those that
 * it trusts to the extras: .cmdline, .initrd and .ucode. A warning names each that is not used: one that is not
 * trusted, as anybody can put one there; one that is broken, has a kernel of its own, is for another kernel (.uname),
 * or has nothing to add. One that cannot be read is refused.
 */
enum kexec_status addons_load(const struct kernel *kernel, struct digest *digest, struct extras *extras);
