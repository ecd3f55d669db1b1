// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's generator of random numbers (UEFI specification 37.5, EFI_RNG_PROTOCOL). */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "efi/services/firmware.h"

struct rng_protocol {
	void *get_info;
	EFI_STATUS(EFIAPI *get_rng)(struct rng_protocol *this, EFI_GUID *algorithm, UINTN size, uint8_t *ret_bytes);
};

/* NULL if the firmware has none. */
static inline struct rng_protocol *rng_find(void)
{
	EFI_GUID guid = { 0x3152bca5, 0xeade, 0x433d, { 0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44 } };

	return firmware_protocol(&guid);
}
