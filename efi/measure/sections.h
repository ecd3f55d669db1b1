// SPDX-License-Identifier: BSD-2-Clause
/*
 * Measures a unified image as systemd-stub does, and as systemd-measure and systemd-pcrlock predict: the sections into
 * register 11, in the order of enum unified_part, each by its name with the NUL and then by its content in memory; and
 * a profile that somebody has chosen into register 12 (systemd 262, src/boot/stub.c).
 */
#pragma once

#include <stdint.h>

#include "boot/unified_sections.h"

/* Measures nothing for profile 0, which is the default. */
void sections_measure_profile(uint32_t profile);

/* Measures all sections of the image in `view`, except a signature of the register's values. */
void sections_measure(const struct unified_view *view);

/* In a boot without a unified image, measures bytes in place of a section. Measures nothing if the size is 0. */
void sections_measure_as(enum unified_part part, const void *bytes, uint64_t size);
