// SPDX-License-Identifier: BSD-2-Clause
/* The TPM's event log, as the kernel's EFI stub hands it over (libstub/tpm.c). */
#pragma once

/*
 * Copies the log of the firmware's EFI_TCG2_PROTOCOL, or of EFI_CC_MEASUREMENT_PROTOCOL in a confidential guest, to a
 * configuration table, and says in it how much of the table of final events is in the log already. What is measured
 * afterwards is in the table of final events alone, as long as it is measured before the firmware is left: so this
 * comes last. Whatever fails is left out, with a warning.
 */
void event_log_install(void);

/* Takes the table back, for a boot that ended before the exit. Harmless if there is none. */
void event_log_uninstall(void);
