// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the variables of the Boot Loader Interface say (systemd.io/BOOT_LOADER_INTERFACE), and what is read of those
 * that another loader has left. The variables themselves are efi/linux/loader_interface.c's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"

/* Of the longest value, its NUL included: bytes of UTF-8, or units of UTF-16. */
#define LOADER_VALUE_SIZE 512

/*
 * What LoaderFeatures says of this loader (systemd 262, src/fundamental/efivars-fundamental.h, EFI_LOADER_FEATURE_...,
 * and the words of `bootctl status` for each). There is no menu that the operating system could steer, so none of the
 * others.
 */
enum {
	LOADER_XBOOTLDR = 1 << 5,      /* `volume xbootldr`, also for the entry that load options name */
	LOADER_RANDOM_SEED = 1 << 6,   /* efi/linux/random_seed.h: the seed is not the ESP's file */
	LOADER_UKI_PROFILES = 1 << 14, /* `profile N` */
	LOADER_TYPE1_UKI = 1 << 16,    /* `uki PATH` */
	LOADER_FEATURES = LOADER_XBOOTLDR | LOADER_RANDOM_SEED | LOADER_UKI_PROFILES | LOADER_TYPE1_UKI,
};

/* The same for StubFeatures, EFI_STUB_FEATURE_...: what of systemd-stub's this loader does where it is the stub. */
enum {
	STUB_REPORT_BOOT_PARTITION = 1 << 0, /* LoaderDevicePartUUID */
	STUB_CREDENTIALS = 1 << 1,	     /* efi/extras */
	STUB_SYSTEM_EXTENSIONS = 1 << 2,
	STUB_THREE_REGISTERS = 1 << 3, /* image, parameters and extensions: efi/measure/stub_variables.h */
	STUB_RANDOM_SEED = 1 << 4,
	STUB_ADDONS = 1 << 5, /* their .cmdline: efi/trust/addons.h */
	STUB_SMBIOS = 1 << 6, /* efi/extras/machine_options.c */
	STUB_CONFIGURATION_EXTENSIONS = 1 << 8,
	STUB_UKI_PROFILES = 1 << 9,	      /* `@N` in load options */
	STUB_REPORT_STUB_PARTITION = 1 << 10, /* StubDevicePartUUID and StubImageIdentifier */
	STUB_FEATURES = STUB_REPORT_BOOT_PARTITION | STUB_CREDENTIALS | STUB_SYSTEM_EXTENSIONS | STUB_THREE_REGISTERS |
			STUB_RANDOM_SEED | STUB_ADDONS | STUB_SMBIOS | STUB_CONFIGURATION_EXTENSIONS |
			STUB_UKI_PROFILES | STUB_REPORT_STUB_PARTITION,
};

/* Who has set LoaderInfo in this power-on: it outlives the loader that set it. */
enum loader_before {
	LOADER_BEFORE_NONE,
	LOADER_BEFORE_SELF, /* this loader, at a start that failed */
	LOADER_BEFORE_MENU, /* systemd-boot, which shows its menu again to who returns a success */
	LOADER_BEFORE_OTHER,
};

/* By the variable's value: `size` bytes of UTF-16. */
enum loader_before loader_before(const void *value, size_t size);

/*
 * Whether a variable under the interface's vendor, by its name of `size` bytes of UTF-16, tells the operating system
 * about this boot: a loader or a stub sets it at each start, as a volatile variable. The others are settings, which the
 * operating system and the loader keep in non-volatile variables: LoaderConfig..., LoaderEntry... and
 * LoaderSystemToken. A new version of systemd brings new names of either kind, so this goes by their beginnings.
 */
bool loader_variable_is_report(const void *name, size_t size);

/*
 * The names of what shim leaves for the operating system, as volatile variables; NULL behind the last. shim 16.1,
 * mok.c, mok_state_variables. Linux takes keys from them (security/integrity/platform_certs/load_uefi.c) without a look
 * at their attributes, also where there is no shim.
 */
const uint16_t *shim_report_name(size_t index);

/* Whether a name that ends with a NUL is one of them, or one with a number behind it, as large lists have. */
bool shim_variable_is_report(const uint16_t *name);

/* Whether values that are there are replaced: only our own, of a start that failed. */
bool loader_replaces_values(enum loader_before before);

/* Whether we are what the interface calls a stub: what another loader has started. */
bool loader_is_stub(enum loader_before before);

/*
 * The text of LoaderEntrySelected: the name of the entry's file, as systemd-boot has it, with its .conf. NULL for a
 * plan of another kind.
 */
const char *loader_entry_selected(const struct boot_plan *plan);

/*
 * The text of LoaderFirmwareInfo: the vendor, UTF-16 of which no more than 128 units are read (NULL: none), and the two
 * halves of the revision.
 */
void loader_firmware_info(const void *vendor, uint32_t revision, char ret_text[LOADER_VALUE_SIZE]);

/* The text of LoaderFirmwareType, by the revision in the header of the system table. */
void loader_firmware_type(uint32_t revision, char ret_text[LOADER_VALUE_SIZE]);

/* The value of a variable: UTF-16 with a NUL. Returns its size in bytes, 0 for what is not UTF-8 or too long. */
size_t loader_value(const char *text, uint16_t ret_value[LOADER_VALUE_SIZE]);
