// SPDX-License-Identifier: BSD-2-Clause
/* Time, by the CPU's time stamp counter. No clock of UEFI is certain to tick faster than once a second. */
#pragma once

#include <stdint.h>

#include "common/purgatory_abi.h"

/* Microseconds since the counter was reset, with the machine. 0 if the machine's counter does not tick. */
uint64_t clock_usec(void);

/* The parts of a boot that take time. */
enum phase {
	PHASE_READ,  /* files, from the disk to their place */
	PHASE_CHECK, /* digests that the entry names, the platform's verdict, measuring */
	PHASE_PLACE, /* purgatory, boot_params, page tables */
	PHASE_HASH,  /* the digest for the purgatory */
	PHASE_COUNT,
};

/* From here to the next call, time counts for `phase`. */
void clock_enter(enum phase phase);

/* With verbose, prints the time that each phase has taken so far. */
void clock_print_phases(void);

/* Call it when the exit begins. Returns the values by which the purgatory continues the measurement. */
struct purgatory_clock clock_enter_exit(void);
