// SPDX-License-Identifier: BSD-2-Clause
/* Describes an exception in words. */
#include "common/exception.h"

#include "common/align.h"
#include "common/format.h"

/* Indexed by vector; Intel SDM volume 3, table 6-1. */
static const char names[][25] = {
	[0] = "divide error",
	[1] = "debug exception",
	[VECTOR_NMI] = "NMI",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range exceeded",
	[6] = "invalid opcode",
	[7] = "device not available",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment not present",
	[12] = "stack-segment fault",
	[13] = "general protection",
	[VECTOR_PAGE_FAULT] = "page fault",
	[16] = "x87 error",
	[17] = "alignment check",
	[VECTOR_MACHINE_CHECK] = "machine check",
	[19] = "SIMD exception",
	[VECTOR_VIRTUALIZATION] = "virtualization exception",
	[21] = "control protection",
};

static const char *name_of(uint64_t vector)
{
	return vector < ARRAY_SIZE(names) && names[vector][0] ? names[vector] : "exception";
}

void exception_format(const struct exception *exception, char *buffer, size_t size)
{
	size_t used = format_text(buffer, size, "%s (%lu) at 0x%lx", name_of(exception->vector), exception->vector,
				  exception->rip);

	if (exception->vector == VECTOR_PAGE_FAULT || exception->address)
		used += format_text(buffer + used, size - used, ", address 0x%lx", exception->address);
	if (exception->error_code)
		used += format_text(buffer + used, size - used, ", error code 0x%lx", exception->error_code);
	if (exception->machine_check_bank)
		format_text(buffer + used, size - used, ", bank status 0x%lx", exception->machine_check_bank);
}
