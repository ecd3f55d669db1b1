// SPDX-License-Identifier: BSD-2-Clause
/*
 * An initrd that the program before us has registered for the programs that it starts: EFI_LOAD_FILE2_PROTOCOL (UEFI
 * specification 13.2) on the device path of LINUX_EFI_INITRD_MEDIA_GUID (include/linux/efi.h). GRUB, U-Boot, iPXE and
 * edk2 for QEMU's -initrd do so; the kernel's EFI stub and systemd-stub read it.
 */
#pragma once

#include <efi.h>

#include "boot/source.h"

/* Its name in messages, and the only name that the source accepts. */
#define REGISTERED_INITRD "registered initrd"

struct registered_initrd {
	struct source source;
	EFI_LOAD_FILE_PROTOCOL *protocol; /* NULL: nothing is registered */
	EFI_DEVICE_PATH *path;		  /* the argument of LoadFile: the end node of a path */
	EFI_PHYSICAL_ADDRESS copy;	  /* the fetched bytes, until the file is closed */
	UINTN copy_pages;		  /* 0: not fetched yet */
	uint64_t copy_size;
	uint64_t size; /* as stated when the file was opened */
};

/* Finds out whether something is registered. If the firmware fails to look, nothing is. */
void registered_initrd_start(struct registered_initrd *initrd);

/*
 * Its size in bytes, as the program before us states it; 0 if there is none. Logs and fails if something is registered
 * that does not answer as specified.
 */
enum kexec_status registered_initrd_size(const struct registered_initrd *initrd, uint64_t *ret_size);

/*
 * Fails unless the registered initrd, which was opened before, has the same bytes as the initrd `name`, which is loaded
 * at `bytes` and has the same size. Holds no memory afterwards.
 */
enum kexec_status registered_initrd_expect(struct registered_initrd *initrd, const void *bytes, const char *name);
