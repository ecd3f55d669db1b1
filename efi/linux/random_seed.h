// SPDX-License-Identifier: BSD-2-Clause
/* The seed for Linux's random number generator, in the form of the kernel's EFI stub (libstub/random.c). */
#pragma once

/*
 * Installs a configuration table with 32 bytes of EFI_RNG_PROTOCOL, the variable RandomSeed, which this deletes, and
 * the seed of the loader before us, whose table this wipes and frees. If there is nothing new, that table stays. Best
 * effort: failures are warnings.
 */
void random_seed_install(void);

/*
 * Undoes random_seed_install if a boot ends before the exit: takes the table back and wipes it, except the seed of the
 * loader before us, which stays for the next loader. The variable is not written again. Harmless if nothing was
 * installed.
 */
void random_seed_uninstall(void);
