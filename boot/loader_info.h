// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values of the Boot Loader Interface's variables (systemd.io/BOOT_LOADER_INTERFACE): those that we set, and those of
 * another loader that we read. efi/linux/loader_interface.c sets and reads the variables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"

/* Size of the longest value with its NUL: bytes of UTF-8, or units of UTF-16. */
#define LOADER_VALUE_SIZE 512

/*
 * The value of LoaderFeatures (systemd 262, src/fundamental/efivars-fundamental.h, EFI_LOADER_FEATURE_..., and the
 * words of `bootctl status` for each). The other features are about a menu that the operating system controls. This
 * loader does not have one.
 */
enum {
	LOADER_XBOOTLDR = 1 << 5,      /* `volume xbootldr`, also for the entry that load options name */
	LOADER_RANDOM_SEED = 1 << 6,   /* efi/linux/random_seed.h: the seed is not the ESP's file */
	LOADER_UKI_PROFILES = 1 << 14, /* `profile N` */
	LOADER_TYPE1_UKI = 1 << 16,    /* `uki PATH` */
	LOADER_FEATURES = LOADER_XBOOTLDR | LOADER_RANDOM_SEED | LOADER_UKI_PROFILES | LOADER_TYPE1_UKI,
};

/*
 * The value of StubFeatures, EFI_STUB_FEATURE_...: the features of systemd-stub that this loader has when it is the
 * stub.
 */
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

/* The program that has set LoaderInfo since power-on. The variable outlives that program. */
enum loader_before {
	LOADER_BEFORE_NONE,
	LOADER_BEFORE_SELF, /* this loader, at a start that failed */
	LOADER_BEFORE_MENU, /* systemd-boot, which shows its menu again if it gets EFI_SUCCESS back */
	LOADER_BEFORE_OTHER,
};

/* Finds it by the variable's value, `size` bytes of UTF-16. */
enum loader_before loader_before(const void *value, size_t size);

/*
 * Whether a variable of the interface's vendor tells the operating system about this boot. A loader or a stub sets such
 * a variable at each start, as a volatile one. The others are settings, which the operating system and the loader keep
 * in non-volatile variables: LoaderConfig..., LoaderEntry... and LoaderSystemToken. `name` is `size` bytes of UTF-16.
 * Its beginning decides, because new versions of systemd bring new names of both kinds.
 */
bool loader_variable_is_report(const void *name, size_t size);

/*
 * The names of the volatile variables that shim leaves for the operating system; NULL behind the last one (shim 16.1,
 * mok.c, mok_state_variables). Linux takes keys from them (security/integrity/platform_certs/load_uefi.c) without
 * checking their attributes, even on a machine without shim.
 */
const uint16_t *shim_report_name(size_t index);

/* Whether `name`, which ends with a NUL, is one of them. A number may follow, as for large lists. */
bool shim_variable_is_report(const uint16_t *name);

/* Whether we replace existing values: only our own, from a start that failed. */
bool loader_replaces_values(enum loader_before before);

/* Whether we are a stub, as the interface calls a program that another loader has started. */
bool loader_is_stub(enum loader_before before);

/*
 * The text of LoaderEntrySelected: the name of the entry file with its .conf, as systemd-boot sets it. NULL for a plan
 * that does not come from an entry file.
 */
const char *loader_entry_selected(const struct boot_plan *plan);

/*
 * The text of LoaderFirmwareInfo: the vendor, and the two halves of the revision. `vendor` is UTF-16, of which at most
 * 128 units are read; NULL: unknown.
 */
void loader_firmware_info(const void *vendor, uint32_t revision, char ret_text[LOADER_VALUE_SIZE]);

/* The text of LoaderFirmwareType, by the revision in the header of the system table. */
void loader_firmware_type(uint32_t revision, char ret_text[LOADER_VALUE_SIZE]);

/*
 * Converts text to the value of a variable: UTF-16 with a NUL. Returns its size in bytes, or 0 if the text is not UTF-8
 * or too long.
 */
size_t loader_value(const char *text, uint16_t ret_value[LOADER_VALUE_SIZE]);
