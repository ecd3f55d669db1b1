// SPDX-License-Identifier: BSD-2-Clause
/* For images that change something about the firmware and then start the loader. */
#pragma once

#include <efi.h>

/*
 * Loads \kexec.efi as if it had been started like us: from our path, with our load options. Returns its handle; does
 * not return if that fails.
 */
EFI_HANDLE chain_load(void);
