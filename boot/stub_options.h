// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel's EFI stub would read of the command line before the kernel does, and we in its place
 * (drivers/firmware/efi/libstub/efi-stub-helper.c, efi_parse_options).
 */
#pragma once

#include <stdbool.h>

#include "boot/text.h"

/* Whether `option` is in the list of the last efi=LIST of a command line: an earlier one counts for nothing. */
bool stub_option(struct text command_line, struct text option);
