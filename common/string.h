// SPDX-License-Identifier: BSD-2-Clause
/*
 * The functions of C's <string.h> that loader and purgatory need, including those that the compiler calls by itself. On
 * the host the C library provides them.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
