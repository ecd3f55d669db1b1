// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options that the kernel's EFI stub would read from the command line before the kernel does. We read them in its place
 * (drivers/firmware/efi/libstub/efi-stub-helper.c, efi_parse_options).
 */
#pragma once

#include <stdbool.h>

#include "boot/text.h"

/* A parameter of a command line. */
struct stub_parameter {
	struct text name;
	struct text value;
	bool has_value;
};

/* Removes the first parameter, parsed like the kernel does. Returns false when there is none left. */
bool stub_take_parameter(struct text *rest, struct stub_parameter *ret_parameter);

/* Whether `option` is in the last efi=LIST of a command line. Earlier lists do not count. */
bool stub_option(struct text command_line, struct text option);

/*
 * Whether efi=disable_early_pci_dma asks for the same as `dma off`. Every efi=LIST counts; the last one that says this
 * or no_disable_early_pci_dma decides.
 */
bool stub_wants_dma_off(struct text command_line);
