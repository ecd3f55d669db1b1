// SPDX-License-Identifier: BSD-2-Clause
/*
 * difficult.efi starts \app.efi from its own volume with faults in the firmware, and prints the results.
 * \difficult.conf names the faults; README.md in this folder describes them.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

#define FOUR_GIB 0x100000000ull

/* In the order of fault_names. */
enum fault {
	/* Set up before the image is started. */
	FAULT_FRAGMENT,
	FAULT_OCCUPY,
	FAULT_MEMORY,
	FAULT_LOW_MEMORY,
	FAULT_LOAD_OPTIONS_JUNK,
	FAULT_IMAGE_ELSEWHERE,
	FAULT_IMAGE_SIZE,
	FAULT_HEADERS_CHANGE,
	FAULT_NO_CONSOLE,
	FAULT_OLD_REVISION,
	FAULT_FIVE_LEVELS,
	FAULT_NO_EXECUTE_OFF,
	FAULT_EDID,
	/* Injected by a hook. */
	FAULT_OUT_OF_MEMORY,
	FAULT_PLACE_REFUSED,
	FAULT_NOT_EXECUTABLE,
	FAULT_MAP_ERROR,
	FAULT_MAP_SIZE_LIES,
	FAULT_SPECIAL_MEMORY,
	FAULT_OPEN_ERROR,
	FAULT_INFO_ERROR,
	FAULT_SIZE_CHANGES,
	FAULT_READ_ERROR,
	FAULT_SHORT,
	FAULT_SIZE_LIES,
	FAULT_LARGE_READ_FAILS,
	FAULT_LARGE_READ_BREAKS,
	FAULT_HIGH_READ_LIES,
	FAULT_TOCTOU,
	FAULT_PROTOCOL_ERROR,
	FAULT_SET_VARIABLE_FAILS,
	FAULT_LOAD_IMAGE_VIOLATION,
	FAULT_LOAD_IMAGE_ERROR,
	FAULT_TPM_ERROR,
	FAULT_TPM_EXTEND_ERROR,
	FAULT_TPM_EXTEND_BREAKS,
	FAULT_TPM_LOG_FULL,
	FAULT_TPM_LOG_STANDS,
	FAULT_TPM_LOG_OLD,
	FAULT_TPM_LOG_ERROR,
	FAULT_TPM_LOG_TORN,
	FAULT_STALL_FAILS,
	FAULT_WATCHDOG_FAILS,
	FAULT_EXIT_REFUSED,
	FAULT_MAP_GROWS,
	FAULT_COUNT,
	FAULT_NONE = FAULT_COUNT
};

struct fault_state {
	bool set;
	bool fired;
	uint64_t number; /* its meaning depends on the fault */
	uint64_t size;
	uint64_t calls; /* calls so far that the fault applies to */
};

/* One start of the image; or, with `swept`, many starts, each with the fault one call later. */
struct run {
	char name[64];
	enum fault swept;
	struct fault_state faults[FAULT_COUNT];
};

extern struct run current_run;

/* Takes the lines of one run off *conf. Returns false if there is none left. */
bool run_parse(struct text *conf, struct run *ret_run);

/* For a fault whose number selects one of the calls; 0 selects all. Counts the call. */
bool fault_hits(enum fault fault);

/* For a fault that hits the first `number` calls. Counts the call. */
bool fault_hits_first(enum fault fault);

/* For a fault that hits the call `number` and all later ones. Counts the call. */
bool fault_hits_from(enum fault fault);

/* Whether a fault of the run was injected. */
bool fault_fired(void);

/* Prints the faults of the run. */
void faults_say(void);

/* Prints a line that begins with "difficult: ", on the console that was in use at the start. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- resources that the image holds (ledger.c) --- */

enum holding {
	HOLDING_PAGES,
	HOLDING_POOL,
	HOLDING_FILE,
	HOLDING_IMAGE,
	HOLDING_KINDS
};

/* Records a resource of the image. `size` is its size in memory, in bytes, or 0 if unknown. */
void ledger_add(enum holding kind, uint64_t what, uint64_t size);
void ledger_remove(enum holding kind, uint64_t what);

/* The number of resources of a kind that the image holds. */
unsigned ledger_count(enum holding kind);

/* The most bytes held at once since the last ledger_release: by the image, and by images that it loaded. */
uint64_t ledger_most_held(void);
uint64_t ledger_most_loaded(void);

/* Releases everything that is still held, without the hooks. */
void ledger_release(void);

/* --- hooks: each set is installed before a run, and removed after it --- */

/* Only calls of the image itself count and get faults: the firmware calls the same services. */
void app_set(const EFI_LOADED_IMAGE *image);
bool app_contains(const void *address);
#define CALLED_BY_APP() app_contains(__builtin_return_address(0))

/* The firmware's own functions, even while hooks replace them. */
extern EFI_BOOT_SERVICES original_services;

void memory_hook(void);
void services_hook(void);

/*
 * Whether this run is the last. Only then is ExitBootServices carried out, and only if no swept fault was hit.
 * Otherwise the image is ended there.
 */
void services_set_last(bool last);
bool services_exit_reached(void);

/* Restores the table of boot services, after a run and before ExitBootServices. */
void services_unhook(void);

/* FAULT_EDID: kind 1 installs the active EDID, other kinds the discovered one. Later runs keep it. */
void edid_install(uint64_t kind);

void tpm_hook(void);
void tpm_unhook(void);

void files_hook(EFI_HANDLE device);
void files_unhook(void);
uint64_t files_bytes_read(void);
uint64_t files_reads(void);

/* --- occupied memory (occupy.c) --- */

/* Occupies memory for FAULT_FRAGMENT, FAULT_OCCUPY, FAULT_MEMORY, FAULT_LOW_MEMORY and FAULT_MAP_GROWS. */
void occupy_arrange(void);

/* Frees every second page that FAULT_MAP_GROWS has reserved. */
void occupy_grow_map(void);

/* Takes one more page, so that the map changes. */
void occupy_page(void);

/* Frees all occupied memory. */
void occupy_release(void);

/* The free memory, in bytes. */
uint64_t occupy_free_size(void);
