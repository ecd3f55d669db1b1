// SPDX-License-Identifier: BSD-2-Clause
/* Time, by the CPU's time stamp counter: UEFI has no clock that ticks faster than once a second everywhere. */
#pragma once

#include <stdint.h>

#include "common/purgatory_abi.h"

/* Microseconds since the counter was reset, with the machine. 0 on a machine whose counter does not tick. */
uint64_t clock_usec(void);

/* The parts of a boot that take time. */
enum phase {
	PHASE_READ,  /* files, from the disk to their place */
	PHASE_CHECK, /* digests that the entry names, the platform's verdict, measuring */
	PHASE_PLACE, /* purgatory, boot_params, page tables */
	PHASE_HASH,  /* the digest for the purgatory */
	PHASE_COUNT,
};

/* Time goes to `phase` from here on, until the next call. */
void clock_enter(enum phase phase);

/* Prints what each phase has taken so far, for those who asked for verbose. */
void clock_print_phases(void);

/* The exit begins now: what the purgatory needs to go on taking the time. */
struct purgatory_clock clock_enter_exit(void);
