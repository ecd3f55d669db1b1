// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel's EFI stub would read of the command line before the kernel does, and we in its place
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

/* Cuts the first parameter off, as the kernel takes a command line apart. Returns false when there is none left. */
bool stub_take_parameter(struct text *rest, struct stub_parameter *ret_parameter);

/* Whether `option` is in the list of the last efi=LIST of a command line: an earlier one counts for nothing. */
bool stub_option(struct text command_line, struct text option);

/*
 * Whether efi=disable_early_pci_dma asks to turn off what `dma off` does. Each efi=LIST counts, the last one that says
 * either that or no_disable_early_pci_dma.
 */
bool stub_wants_dma_off(struct text command_line);
