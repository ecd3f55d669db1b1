// SPDX-License-Identifier: BSD-2-Clause
/*
 * The variables by which systemd learns that a stub has measured, and into which register: StubPcrKernelImage,
 * StubPcrKernelParameters, StubPcrInitRDSysExts and StubPcrInitRDConfExts (systemd-stub(7), "EFI Variables"). With the
 * first, systemd measures its own phases into register 11, and opens disks that are bound to it.
 */
#pragma once

/*
 * Sets each variable whose group of events is in the registers as a whole, and deletes the others: one that a boot
 * before this one has left is not true any more. Firmware that takes no variables costs a warning, never the boot.
 */
void stub_variables_set(void);

/* Deletes them: the boot has ended early. */
void stub_variables_delete(void);
