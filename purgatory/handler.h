// SPDX-License-Identifier: BSD-2-Clause
/* Exceptions between firmware and kernel: an NMI is reported and goes by, anything else stops the boot. */
#pragma once

#include <stddef.h>

/* The index of the region that is being read, for reports; REGION_MAX: none. */
void exception_set_region(size_t region);

/*
 * All is verified: the kernel comes next. Leaves a note of an NMI that came before; from now on one is noted at once.
 */
void exception_expect_kernel(void);
