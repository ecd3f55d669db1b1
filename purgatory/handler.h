// SPDX-License-Identifier: BSD-2-Clause
/* Exceptions between firmware and kernel: an NMI is reported and the boot goes on; any other exception stops it. */
#pragma once

#include <stddef.h>

/* Sets the region that is being read, by index, for reports; REGION_MAX: none. */
void exception_set_region(size_t region);

/*
 * Call this when everything is verified and the kernel is next. Writes the note of an earlier NMI. A later NMI is noted
 * at once.
 */
void exception_expect_kernel(void);
