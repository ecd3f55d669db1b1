// SPDX-License-Identifier: BSD-2-Clause
/* Collects the facts about the firmware that Linux needs. */
#pragma once

#include "boot/bootparams.h"
#include "boot/pagetable.h"

/*
 * Fills in what the firmware offers. Best effort: it cannot fail. The caller must not set a graphics mode afterwards.
 * *ret_framebuffer is the screen's memory, of size 0 without a screen.
 */
void platform_collect(struct platform *ret_platform, struct mapped_range *ret_framebuffer);
