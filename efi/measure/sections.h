// SPDX-License-Identifier: BSD-2-Clause
/*
 * What systemd-stub measures of a unified image, and systemd-measure and systemd-pcrlock foretell: the sections in
 * register 11, in the order of enum unified_part, each by its name with the NUL and then by its content in memory; and
 * a profile that somebody has chosen in register 12 (systemd 262, src/boot/stub.c).
 */
#pragma once

#include <stdint.h>

#include "boot/unified_sections.h"

/* Nothing for profile 0, which counts if nobody chooses. */
void sections_measure_profile(uint32_t profile);

/* All sections of the image that `view` has the bytes of, except a signature of the register's values. */
void sections_measure(const struct unified_view *view);

/* Something that has the place of a section in a boot without a unified image; nothing if it has size 0. */
void sections_measure_as(enum unified_part part, const void *bytes, uint64_t size);
