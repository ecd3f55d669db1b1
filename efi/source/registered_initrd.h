// SPDX-License-Identifier: BSD-2-Clause
/*
 * An initrd that the program before us has registered for whatever it starts: EFI_LOAD_FILE2_PROTOCOL (UEFI
 * specification 13.2) on the device path of LINUX_EFI_INITRD_MEDIA_GUID (include/linux/efi.h). GRUB, U-Boot, iPXE and
 * edk2 for QEMU's -initrd do so; the kernel's EFI stub and systemd-stub read it.
 */
#pragma once

#include <efi.h>

#include "boot/source.h"

/* What messages call it, and the one name that the source knows. */
#define REGISTERED_INITRD "registered initrd"

struct registered_initrd {
	struct source source;
	EFI_LOAD_FILE_PROTOCOL *protocol; /* NULL where nothing is registered */
	EFI_DEVICE_PATH *path;		  /* what it is asked for: the end of a path */
	EFI_PHYSICAL_ADDRESS copy;	  /* what it has brought, until the file is closed */
	UINTN copy_pages;		  /* 0: nothing yet */
	uint64_t copy_size;
	uint64_t size; /* as it was said when the file was opened */
};

/* Looks whether something is registered. Firmware that cannot look has nothing registered. */
void registered_initrd_start(struct registered_initrd *initrd);

/*
 * Its size in bytes, as the program before us says; 0 where there is none. Logs and fails if something is registered
 * that does not answer as it must.
 */
enum kexec_status registered_initrd_size(const struct registered_initrd *initrd, uint64_t *ret_size);

/*
 * Fails unless the registered initrd, which was opened before, has the same bytes as the loaded initrd at `bytes`.
 * That one is as long, and is called `name`. Holds no memory afterwards.
 */
enum kexec_status registered_initrd_expect(struct registered_initrd *initrd, const void *bytes, const char *name);
