// SPDX-License-Identifier: BSD-2-Clause
/* Measures the additions to a unified image as systemd-stub does: options of addons and of the machine, and initrds. */
#pragma once

#include "efi/extras/extras.h"

/*
 * Measures, in systemd-stub's order, the options that were added, each archive of sidecars, and the initrds of addons,
 * once they lie in the initrd: into PCR 12, and system extensions into 13.
 */
void measure_extras(const struct extras *extras);
