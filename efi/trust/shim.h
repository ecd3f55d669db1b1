// SPDX-License-Identifier: BSD-2-Clause
/*
 * The protocols that shim offers to the programs that it starts (github.com/rhboot/shim, 16.1: shim.h, loader-proto.c):
 * one that verifies an image, and since version 16 a LoadImage of its own as well.
 */
#pragma once

#include <efi.h>
#include <stdint.h>

#define SHIM_LOCK_GUID                                                                                                 \
	{                                                                                                              \
		0x605dab50, 0xe046, 0x4300,                                                                            \
		{                                                                                                      \
			0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23                                                 \
		}                                                                                                      \
	}

#define SHIM_IMAGE_LOADER_GUID                                                                                         \
	{                                                                                                              \
		0x1f492041, 0xfadb, 0x4e59,                                                                            \
		{                                                                                                      \
			0x9e, 0x57, 0x7c, 0xaf, 0xe7, 0x3a, 0x55, 0xab                                                 \
		}                                                                                                      \
	}

/*
 * Shim's variants of the firmware's functions of these names. Shim replaces the firmware's LoadImage by `load` only
 * with Secure Boot on, and only if it has its vendor's certificates or revocations (shim.c: shim_init). This protocol
 * always exists. The firmware's functions do not know images that shim has loaded.
 */
struct shim_image_loader {
	EFI_IMAGE_LOAD load;
	EFI_IMAGE_START start;
	EFI_EXIT exit;
	EFI_IMAGE_UNLOAD unload;
};

/* Unlike the firmware's functions, these have the System V ABI, which is this compiler's own. */
struct shim_lock {
	EFI_STATUS (*verify)(const void *bytes, uint32_t size);
	void *hash;
	void *context;
};
