// SPDX-License-Identifier: BSD-2-Clause
/* The vendor of the EFI variables that are our own, and nobody else's (UEFI specification 8.2). */
#pragma once

#include <stdint.h>

/* As firmware wants to see it in memory: EFI_GUID (UEFI specification, appendix A). */
struct guid {
	uint32_t data1;
	uint16_t data2;
	uint16_t data3;
	uint8_t data4[8];
};

_Static_assert(sizeof(struct guid) == 16, "UEFI, appendix A");

/* 5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10; initializes an EFI_GUID as well. */
#define KEXEC_VENDOR_GUID                                                                                              \
	{                                                                                                              \
		0x5f0a6dd6, 0x9a3e, 0x4c1f,                                                                            \
		{                                                                                                      \
			0x8d, 0x46, 0x2c, 0x1a, 0x1d, 0x1b, 0x6a, 0x10                                                 \
		}                                                                                                      \
	}
