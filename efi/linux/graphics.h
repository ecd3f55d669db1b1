// SPDX-License-Identifier: BSD-2-Clause
/* The screen that the firmware's console is on. */
#pragma once

#include "boot/bootparams.h"
#include "boot/pagetable.h"

/*
 * Fills in the screen and its monitor's EDID, where there is one that Linux can use, and the memory it is drawn in, of
 * size 0 otherwise. No graphics mode may be set afterwards.
 */
void graphics_collect(struct platform *platform, struct mapped_range *ret_framebuffer);
