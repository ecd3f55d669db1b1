// SPDX-License-Identifier: BSD-2-Clause
/* The first bytes of a file, for the tests of files that are no kernels. */
#pragma once

#include "boot/kernel_format.h"

/* The bytes that the functions below write and judge. */
extern uint8_t probe_bytes[KERNEL_PROBE_SIZE];

/* Content that resembles no known kind: neither zeros nor text. */
void probe_make_noise(void);

/* Writes a number, little endian. */
void probe_put(size_t offset, uint64_t value, size_t size);

/* Headers of a PE image with one section. */
void probe_make_image(uint16_t machine, uint16_t subsystem, const char *section);

/* Plans the kernel in a file of this size, which begins with the bytes. */
enum kexec_status probe_plan(uint64_t file_size);

/* Expects the refusal "... found KIND", whose end may be left out. */
void probe_expect_kind_of_size(const char *kind, uint64_t file_size);
void probe_expect_kind(const char *kind);
