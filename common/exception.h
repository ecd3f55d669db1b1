// SPDX-License-Identifier: BSD-2-Clause
/* The CPU's report about an exception (Intel SDM volume 3, chapter 6), and its description in words. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum vector {
	VECTOR_NMI = 2,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_VIRTUALIZATION = 20, /* in a guest of Intel TDX: an instruction that the guest has to emulate */
};

struct exception {
	uint64_t vector;
	uint64_t rip;
	uint64_t error_code;	     /* 0 for a vector that has none */
	uint64_t address;	     /* of a page fault, or where memory failed; 0 if unknown */
	uint64_t machine_check_bank; /* IA32_MCi_STATUS of the first bank that holds an error, 0: none */
};

/*
 * Writes a text such as "page fault (14) at 0x1e0a4010, address 0xdead0000, error code 0x2", cut to `size` bytes with
 * its NUL.
 */
void exception_format(const struct exception *exception, char *buffer, size_t size);
