// SPDX-License-Identifier: BSD-2-Clause
/* The vendors of the EFI variables that we set (UEFI specification 8.2). */
#pragma once

#include <stdint.h>

/* The firmware's layout: EFI_GUID (UEFI specification, appendix A). */
struct guid {
	uint32_t data1;
	uint16_t data2;
	uint16_t data3;
	uint8_t data4[8];
};

_Static_assert(sizeof(struct guid) == 16, "UEFI, appendix A");

/* Only our own variables: 5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10; initializes an EFI_GUID as well. */
#define KEXEC_VENDOR_GUID                                                                                              \
	{                                                                                                              \
		0x5f0a6dd6, 0x9a3e, 0x4c1f,                                                                            \
		{                                                                                                      \
			0x8d, 0x46, 0x2c, 0x1a, 0x1d, 0x1b, 0x6a, 0x10                                                 \
		}                                                                                                      \
	}

/* Variables of the Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE): 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f */
#define LOADER_VENDOR_GUID                                                                                             \
	{                                                                                                              \
		0x4a67b082, 0x0a4c, 0x41cf,                                                                            \
		{                                                                                                      \
			0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f                                                 \
		}                                                                                                      \
	}

/* The log for the booted system to read. For compilers whose wide characters are UTF-16. */
#define KEXEC_LOG_NAME L"KexecLog"
