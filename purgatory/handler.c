// SPDX-License-Identifier: BSD-2-Clause
/* Reports exceptions. An NMI may interrupt everything here, and the code here may itself raise an exception. */
#include "purgatory/handler.h"

#include <stdbool.h>

#include "common/cpu.h"
#include "common/format.h"
#include "common/purgatory_abi.h"
#include "common/string.h"
#include "purgatory/runtime.h"
#include "purgatory/stop.h"

/* Machine-check registers: Intel SDM volume 3, 16.3. */
enum {
	MSR_MCG_CAP = 0x179,
	MCG_CAP_BANKS = 0xff,
	MSR_MC0_STATUS = 0x401,
	MSR_MC0_ADDR = 0x402,
	MSRS_PER_BANK = 4,
};

#define MC_STATUS_VALID (1ull << 63)
#define MC_STATUS_ADDRESS_VALID (1ull << 58)

/* A report that raises an exception is retried once. */
#define REPORTS_MAX 2

/* The argument from start.asm: the vector, and the words that the CPU pushed (Intel SDM volume 3, figure 6-9). */
struct frame {
	uint64_t vector;
	uint64_t error_code;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

PURGATORY_DATA uint64_t purgatory_gdt[GDT_ENTRIES];
PURGATORY_DATA struct idt_gate purgatory_idt[IDT_GATES];

/* Defined in purgatory.lds: the bounds of the purgatory's code. */
__attribute__((visibility("hidden"))) extern const uint8_t purgatory_code[];
__attribute__((visibility("hidden"))) extern const uint8_t purgatory_code_end[];

/* The region's index plus 1, so that 0, the initial value, means none. */
static volatile size_t region_number;
static volatile unsigned reports;
static volatile bool kernel_is_next;

/* An NMI has come, and its note is not written yet. */
static volatile bool nmi_is_pending;
static struct stop_note nmi_note;

void exception_set_region(size_t region)
{
	region_number = region < REGION_MAX ? region + 1 : 0;
}

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

/* Reads the first bank that holds an error. */
static void read_machine_check(struct exception *exception)
{
	uint32_t banks = (uint32_t)read_msr(MSR_MCG_CAP) & MCG_CAP_BANKS;

	for (uint32_t i = 0; i < banks; i++) {
		uint64_t status = read_msr(MSR_MC0_STATUS + i * MSRS_PER_BANK);

		if (!(status & MC_STATUS_VALID))
			continue;
		exception->machine_check_bank = status;
		if (status & MC_STATUS_ADDRESS_VALID)
			exception->address = read_msr(MSR_MC0_ADDR + i * MSRS_PER_BANK);
		return;
	}
}

static uint64_t page_fault_address(void)
{
	uint64_t address;

	__asm__ volatile("mov %%cr2, %0" : "=r"(address));
	return address;
}

static void describe(const struct frame *frame, enum stop_kind kind, struct stop_note *ret_note)
{
	struct exception *exception = &ret_note->exception;
	size_t number = region_number;

	memset(ret_note, 0, sizeof(*ret_note));
	ret_note->kind = kind;
	if (number)
		memcpy(ret_note->region, purgatory_region_names[number - 1], sizeof(ret_note->region));
	exception->vector = frame->vector;
	exception->error_code = frame->error_code;
	exception->rip = frame->rip;
	if (frame->vector == VECTOR_PAGE_FAULT)
		exception->address = page_fault_address();
	/* A CPU that raises this exception has these registers. */
	if (frame->vector == VECTOR_MACHINE_CHECK && reports == 1)
		read_machine_check(exception);
}

static void report(const struct stop_note *note, const char *end)
{
	char what[160];
	char line[256];

	exception_format(&note->exception, what, sizeof(what));
	if (note->region[0])
		format_text(line, sizeof(line), "purgatory: %s, while verifying %.*s%s\n", what, REGION_NAME_SIZE,
			    note->region, end);
	else
		format_text(line, sizeof(line), "purgatory: %s%s\n", what, end);
	say(line);
}

static void remember_nmi(void)
{
	if (!nmi_is_pending)
		return;
	nmi_is_pending = false;
	if (!firmware_remember(&nmi_note))
		say("purgatory: the firmware did not take a note of this\n");
}

/* Whether the kernel has not begun: rip is in the purgatory, or the kernel is not yet next. */
static bool is_ours(uint64_t rip)
{
	return !kernel_is_next || (rip >= (uintptr_t)purgatory_code && rip < (uintptr_t)purgatory_code_end);
}

/*
 * A call of the firmware changes vector registers, which the hash uses. So the note waits until the purgatory has
 * finished hashing. An NMI during a report is part of that report.
 */
static void go_on_after_nmi(const struct frame *frame)
{
	struct stop_note note;

	if (reports || is_stopping())
		return;
	describe(frame, STOP_NMI, &note);
	report(&note, "; going on");
	/* The kernel's stack is not prepared for calls of the firmware. */
	if (!is_ours(frame->rip))
		return;
	nmi_note = note;
	nmi_is_pending = true;
	if (kernel_is_next)
		remember_nmi();
}

void exception_expect_kernel(void)
{
	kernel_is_next = true;
	remember_nmi();
}

/* Called by start.asm. */
void purgatory_exception(const struct frame *frame);

void purgatory_exception(const struct frame *frame)
{
	struct stop_note note;

	if (frame->vector == VECTOR_NMI) {
		go_on_after_nmi(frame);
		return;
	}
	/* In a guest of Intel TDX the serial port itself raises this exception, so no report is possible. */
	if (frame->vector == VECTOR_VIRTUALIZATION)
		shut_down();
	if (reports == REPORTS_MAX)
		cpu_halt();
	reports++;
	describe(frame, STOP_EXCEPTION, &note);
	report(&note, "");
	stop(&note);
}
