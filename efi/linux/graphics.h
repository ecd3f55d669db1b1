// SPDX-License-Identifier: BSD-2-Clause
/* Finds the screen of the firmware's console. */
#pragma once

#include "boot/bootparams.h"
#include "boot/pagetable.h"

/*
 * Fills in the screen and its monitor's EDID, if Linux can use the screen, and its framebuffer; otherwise the
 * framebuffer has size 0. The caller must not set a graphics mode afterwards.
 */
void graphics_collect(struct platform *platform, struct mapped_range *ret_framebuffer);
