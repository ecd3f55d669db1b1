// SPDX-License-Identifier: BSD-2-Clause
/* For images that change the firmware and then start the loader. */
#pragma once

#include <efi.h>

/*
 * Loads \kexec.efi with our path and our load options, as if it had been started in our place. Returns its handle; does
 * not return on failure.
 */
EFI_HANDLE chain_load(void);
