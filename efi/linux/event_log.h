// SPDX-License-Identifier: BSD-2-Clause
/* The TPM's event log, as the kernel's EFI stub hands it over (libstub/tpm.c). */
#pragma once

/*
 * Copies the log of the firmware's EFI_TCG2_PROTOCOL, or of EFI_CC_MEASUREMENT_PROTOCOL in a confidential guest, to a
 * configuration table, and states in it how much of the table of final events is already in the log. Events measured
 * after this call and before the exit are only in the table of final events, so call this last. Best effort: failures
 * are warnings.
 */
void event_log_install(void);

/* Undoes event_log_install if a boot ends before the exit. Harmless without it. */
void event_log_uninstall(void);
