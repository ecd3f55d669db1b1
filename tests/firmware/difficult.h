// SPDX-License-Identifier: BSD-2-Clause
/*
 * difficult.efi makes the firmware difficult: it starts \app.efi from its own volume with faults that \difficult.conf
 * names, and says what became of it. README.md beside this lists the faults.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

#define FOUR_GIB 0x100000000ull

/* In the order of fault_names. */
enum fault {
	/* Arranged before the image is started. */
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
	/* Done by a hook. */
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
	uint64_t number; /* what it means depends on the fault */
	uint64_t size;
	uint64_t calls; /* that could have been hit so far */
};

/* One start of the image, or with `swept` many, with that fault's number counting up. */
struct run {
	char name[64];
	enum fault swept;
	struct fault_state faults[FAULT_COUNT];
};

extern struct run current_run;

/* Cuts the lines of one run off *conf. Returns false when there is none left. */
bool run_parse(struct text *conf, struct run *ret_run);

/* For a fault whose number is which of the calls is hit, 0 for all. Counts the call. */
bool fault_hits(enum fault fault);

/* For a fault whose number is how many calls are hit. Counts the call. */
bool fault_hits_first(enum fault fault);

/* For a fault whose number is the first call that is hit; so are all that follow. Counts the call. */
bool fault_hits_from(enum fault fault);

/* Whether a fault of the run has been met. */
bool fault_fired(void);

/* Says which faults the run has. */
void faults_say(void);

/* Prints a line that begins "difficult: ", on the console that there was at the start. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- what the image holds (ledger.c) --- */

enum holding {
	HOLDING_PAGES,
	HOLDING_POOL,
	HOLDING_FILE,
	HOLDING_IMAGE,
	HOLDING_KINDS
};

/* Notes what the image got. `size` is what it takes of the memory, in bytes, where that is known; else 0. */
void ledger_add(enum holding kind, uint64_t what, uint64_t size);
void ledger_remove(enum holding kind, uint64_t what);

/* How many things of a kind are held. */
unsigned ledger_count(enum holding kind);

/* The most bytes that were held at once, since the last ledger_release: by itself, and in images that it had loaded. */
uint64_t ledger_most_held(void);
uint64_t ledger_most_loaded(void);

/* Gives everything that is still held back to the firmware, without the hooks. */
void ledger_release(void);

/* --- hooks: each set is put in place before a run and taken away after it --- */

/* Only what the image itself calls is hit and counted: the firmware uses the same services. */
void app_set(const EFI_LOADED_IMAGE *image);
bool app_contains(const void *address);
#define CALLED_BY_APP() app_contains(__builtin_return_address(0))

/* The firmware's own functions, whatever is hooked. */
extern EFI_BOOT_SERVICES original_services;

void memory_hook(void);
void services_hook(void);

/* Whether the exit shall be carried out if no swept fault is met: else the image is ended where it would exit. */
void services_set_last(bool last);
bool services_exit_reached(void);

/* After a run, or before the firmware is left: the table of boot services becomes what it was. */
void services_unhook(void);

/* FAULT_EDID: of kind 1 as the EDID that is in use, else as the one discovered. It stays, for the runs that follow. */
void edid_install(uint64_t kind);

void tpm_hook(void);
void tpm_unhook(void);

void files_hook(EFI_HANDLE device);
void files_unhook(void);
uint64_t files_bytes_read(void);
uint64_t files_reads(void);

/* --- occupied memory (occupy.c) --- */

/* Makes memory as FAULT_FRAGMENT, FAULT_OCCUPY, FAULT_MEMORY, FAULT_LOW_MEMORY and FAULT_MAP_GROWS want it. */
void occupy_arrange(void);

/* Gives back every other page of what FAULT_MAP_GROWS reserved. */
void occupy_grow_map(void);

/* Takes one page more, which changes the map. */
void occupy_page(void);

/* Gives back all of it. */
void occupy_release(void);

/* How many bytes of memory are free now. */
uint64_t occupy_free_size(void);
