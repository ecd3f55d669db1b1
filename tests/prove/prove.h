// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared by the proofs. In the model checker, functions without a body and variables that were never written have any
 * value. A proof holds for all values that meet its assumptions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/string.h"

#define assume(condition) __CPROVER_assume(condition)
#define prove(condition, text) __CPROVER_assert(condition, text)

uint8_t nondet_u8(void);
uint64_t nondet_u64(void);

#define any_u8 nondet_u8
#define any_u64 nondet_u64

static inline void put_16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

static inline void put_32(uint8_t *bytes, uint32_t value)
{
	put_16(bytes, value);
	put_16(bytes + 2, value >> 16);
}
