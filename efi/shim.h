// SPDX-License-Identifier: BSD-2-Clause
/*
 * What shim leaves for whom it has started (github.com/rhboot/shim: shim.h, loader-proto.c). Since version 16 its
 * LoadImage takes the place of the firmware's; before that there is a protocol to ask.
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

/* Present where LoadImage is shim's, or could be: shim 16 and later. */
#define SHIM_IMAGE_LOADER_GUID                                                                                         \
	{                                                                                                              \
		0x1f492041, 0xfadb, 0x4e59,                                                                            \
		{                                                                                                      \
			0x9e, 0x57, 0x7c, 0xaf, 0xe7, 0x3a, 0x55, 0xab                                                 \
		}                                                                                                      \
	}

/* Unlike the firmware's functions in the System V ABI, which is this compiler's own. */
struct shim_lock {
	EFI_STATUS (*verify)(const void *bytes, uint32_t size);
	void *hash;
	void *context;
};
