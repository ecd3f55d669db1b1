// SPDX-License-Identifier: BSD-2-Clause
/* Asks the firmware what Linux wants to be told. */
#pragma once

#include "boot/bootparams.h"
#include "boot/pagetable.h"

/*
 * Fills in what is there; nothing here is worth failing for. No graphics mode may be set afterwards. *ret_framebuffer
 * is the memory of the screen, of size 0 where there is none.
 */
void platform_collect(struct platform *ret_platform, struct mapped_range *ret_framebuffer);
