// SPDX-License-Identifier: BSD-2-Clause
/*
 * Small kernels with PE headers, as a signing tool would leave them, and damage to their fields. If single bytes
 * mutate, hardly any file is a kernel that its signature covers; with this damage many are.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* No kernel made here is larger. */
#define SIGNED_KERNEL_SIZE_MAX 4096u

/* Random numbers from a seed. */
struct dice {
	uint64_t state;
};

/* A number below `count`, which is not 0. */
uint32_t dice_roll(struct dice *dice, uint32_t count);

/* Makes a kernel in `bytes`, of at least SIGNED_KERNEL_SIZE_MAX bytes, and returns its size. */
size_t signed_kernel_make(struct dice *dice, uint8_t *bytes);

/* Changes one field that decides what is hashed or what runs. The size may change too, up to `capacity`. */
size_t signed_kernel_damage(struct dice *dice, uint8_t *bytes, size_t size, size_t capacity);
