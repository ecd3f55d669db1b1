// SPDX-License-Identifier: BSD-2-Clause
/* Takes the time. */
#include "efi/services/clock.h"

#include "boot/log.h"
#include "common/cpu.h"
#include "efi/services/firmware.h"

/* How long to watch the counter to learn its frequency. */
#define CALIBRATION_USEC 1000

static const char *const phase_names[PHASE_COUNT] = { "read", "check", "place", "hash" };

static uint64_t ticks_per_msec;
static uint64_t phase_usec[PHASE_COUNT];
static enum phase current;
static uint64_t entered_usec;

static uint64_t calibrate(void)
{
	uint64_t start = cpu_ticks();

	firmware_boot_services->Stall(CALIBRATION_USEC);
	return cpu_ticks() - start;
}

uint64_t clock_usec(void)
{
	uint64_t ticks = cpu_ticks();

	if (!ticks_per_msec)
		ticks_per_msec = calibrate();
	/* In this order it neither wraps nor loses more than a microsecond. */
	return ticks_per_msec ? ticks / ticks_per_msec * 1000 + ticks % ticks_per_msec * 1000 / ticks_per_msec : 0;
}

void clock_enter(enum phase phase)
{
	uint64_t now = clock_usec();

	if (entered_usec)
		phase_usec[current] += now - entered_usec;
	current = phase;
	entered_usec = now;
}

void clock_print_phases(void)
{
	clock_enter(current);
	for (int i = 0; i < PHASE_COUNT; i++)
		log_verbose("time %s %lu.%03lu ms", phase_names[i], phase_usec[i] / 1000, phase_usec[i] % 1000);
}

struct purgatory_clock clock_enter_exit(void)
{
	return (struct purgatory_clock){ .ticks_per_msec = ticks_per_msec, .exit_ticks = cpu_ticks() };
}
