// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared by the unit tests: cmocka, and fakes of the core's seams (memory, pool, log) that tests can inspect and make
 * fail. Each test runs in its own process, so nothing needs to be cleaned up.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/memmap.h"
#include "boot/memory.h"
#include "boot/status.h"

/*
 * Runs the test that the variable KEXEC_TEST names, or all tests, each in its own process. Returns the number of
 * failures.
 */
#define run_named_tests(tests) run_each_test((tests), sizeof(tests) / sizeof((tests)[0]))
int run_each_test(const struct CMUnitTest *tests, size_t count);

/* --- the log --- */

/* All lines logged so far, each with a line feed at its end. A warning begins with its mark. */
const char *logged(void);
void log_clear(void);

/* Fails the test unless `call` returns `status` and logs exactly one line, which contains `part`. */
#define expect_error(call, status, part) check_error((call), (status), (part), __FILE__, __LINE__)
void check_error(enum kexec_status found, enum kexec_status expected, const char *part, const char *file, int line);

/* The number of expected failures so far. */
size_t errors_checked(void);

/* Fails the test unless `call` returns KEXEC_OK. Prints the logged lines then. */
#define expect_ok(call) check_ok((call), __FILE__, __LINE__)
void check_ok(enum kexec_status found, const char *file, int line);

/* --- memory --- */

/*
 * The fake allocates real memory at the addresses that it chooses, so code can use them as under UEFI. It takes them
 * from the map set here; by default that is one conventional descriptor from FAKE_MEMORY_START to FAKE_MEMORY_END.
 */
#define FAKE_MEMORY_START 0x10000000ull
#define FAKE_MEMORY_END 0x60000000ull

void fake_memory_set_map(const struct memory_map *map);

/* Makes the Nth allocation from now on fail, counted from 1; 0: none. */
void fake_memory_fail_at(unsigned n);

/* The number of allocations, and the number of those not freed yet. */
unsigned fake_memory_allocations(void);
unsigned fake_memory_outstanding(void);

/* Makes the next allocation return `addr` whatever was requested, as broken firmware does. */
void fake_memory_lie(uint64_t addr);

/* Moves the address of the next allocation by `by` bytes (modulo 2^64). Its pages stay in place. */
void fake_memory_shift(uint64_t by);

/* --- the pool --- */

/* Makes the Nth allocation from now on fail, counted from 1; 0: none. */
void fake_pool_fail_at(unsigned n);

/* The number of allocations not freed yet. */
unsigned fake_pool_outstanding(void);

/* --- files and maps --- */

/* Maps a whole file of the build tree until the test ends. */
const uint8_t *map_file(const char *path, size_t *ret_size);

#define PURGATORY_RO "build/purgatory/purgatory.ro"

/* A map of an array of descriptors. */
#define MAP_OF(descriptors)                                                                                            \
	((struct memory_map){ .bytes = (const uint8_t *)(descriptors),                                                 \
			      .size = sizeof(descriptors),                                                             \
			      .descriptor_size = sizeof((descriptors)[0]),                                             \
			      .descriptor_version = 1 })

/* A descriptor for [start, end). */
#define DESCRIPTOR(type_, start, end)                                                                                  \
	{                                                                                                              \
		.type = (type_), .physical_start = (start), .number_of_pages = ((end) - (start)) / 4096                \
	}
