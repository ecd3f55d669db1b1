// SPDX-License-Identifier: BSD-2-Clause
/*
 * The variables that tell systemd into which registers a stub has measured: StubPcrKernelImage,
 * StubPcrKernelParameters, StubPcrInitRDSysExts and StubPcrInitRDConfExts (systemd-stub(7), "EFI Variables"). If the
 * first is set, systemd measures its own phases into register 11, and unlocks disks that are bound to it.
 */
#pragma once

/*
 * Sets each variable whose group of events is complete in the registers. Deletes the others, because the value of an
 * earlier boot is wrong now. If the firmware does not accept variables, the boot continues with a warning.
 */
void stub_variables_set(void);

/* Deletes them after a failed boot. */
void stub_variables_delete(void);
