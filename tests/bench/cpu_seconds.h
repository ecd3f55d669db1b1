// SPDX-License-Identifier: BSD-2-Clause
/* The clock of the benchmarks' programs. */
#pragma once

#include <time.h>

static inline double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
