// SPDX-License-Identifier: BSD-2-Clause
/* The seed for Linux's random number generator, as the kernel's EFI stub leaves it (libstub/random.c). */
#pragma once

/*
 * Installs a configuration table with 32 bytes of EFI_RNG_PROTOCOL, the variable RandomSeed, which is deleted, and the
 * seed that a loader before us left, whose table is wiped and freed. Where there is nothing new that table stays as it
 * is. Whatever fails is left out, with a warning.
 */
void random_seed_install(void);

/*
 * For a boot that ended before the exit: takes the table back and wipes it, but for what the loader before us left,
 * which stays for whoever boots next. A variable that was read is not written again. Harmless if nothing was installed.
 */
void random_seed_uninstall(void);
