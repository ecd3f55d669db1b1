// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin for QEMU's TCG that counts the guest's instructions, and records when the guest reaches code that it
 * recognises by its bytes. It does not count the instructions of waiting loops and of edk2's timer handler: these
 * depend on the speed of this machine, not on the guest's work.
 *
 * Options, bytes in hex; all except the first may be repeated:
 *   out=FILE               the output; each line begins with a name
 *   at=NAME:BYTES          writes "NAME CPU-SECONDS SECONDS INSTRUCTIONS" before that code runs
 *   call=NAME:BYTES        the same for code that ends with a call, and "NAME-return ..." when the call has returned
 *   hash=BYTES:SIZE:BLOCK:LANES  a function of SIZE bytes that at the offset BLOCK begins to hash 64 bytes in each of
 *                          LANES. Each line above is followed by "hash ADDRESS BYTES CPU-SECONDS SECONDS INSTRUCTIONS"
 *                          for each place where such code has run
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/align.h"
#include "tests/bench/qemu_plugin.h"

/* --- patterns --- */

#define MAX 32
#define INSTRUCTION_MAX 15
#define BYTES_MAX 64

/* A loop around PAUSE counts as waiting if one iteration has no more instructions than this. */
#define WAIT_MAX 64

/* Lower vectors are the CPU's exceptions. */
#define INTERRUPT_VECTOR_MIN 0x20

/*
 * A block of translated code may end within a pattern. It must contain at least this many bytes of it to be recognised.
 */
#define BYTES_MIN 7

#define BLOCK_SIZE 64u

struct pattern {
	char name[32];
	uint8_t bytes[BYTES_MAX];
	size_t length;
	bool is_call;
	uint64_t return_addr; /* 0: not known yet */
	uint64_t size;	      /* of a hash function */
	uint64_t block;	      /* offset at which the next block begins */
	uint64_t lanes;
};

struct clocks {
	double cpu; /* seconds of all of QEMU's threads */
	double wall;
};

/* A hash function at one place in memory. */
struct place {
	const struct pattern *pattern;
	uint64_t addr;
	counter instructions;
	counter bytes;
	struct clocks entered;
	struct clocks spent;
};

static struct pattern patterns[MAX];
static size_t pattern_count;
static struct place places[MAX];
static size_t place_count;
static counter instructions;
static uint64_t last_pause; /* count of instructions at the last PAUSE */
static uint64_t waiting;    /* instructions from one PAUSE to the next */
static unsigned interrupts; /* nested handlers that are running */
static uint64_t interrupt_start;
static uint64_t interrupted; /* instructions of handlers that have ended */
static FILE *out;

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct clocks clocks_now(void)
{
	return (struct clocks){ .cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), .wall = seconds_of(CLOCK_MONOTONIC) };
}

static uint64_t uninterrupted(void)
{
	return counter_value(instructions) - interrupted;
}

static void write_line(const char *name, const char *suffix)
{
	struct clocks now = clocks_now();

	for (size_t i = 0; i < place_count; i++)
		fprintf(out, "hash %lx %lu %.9f %.9f %lu\n", places[i].addr, counter_value(places[i].bytes),
			places[i].spent.cpu, places[i].spent.wall, counter_value(places[i].instructions));
	fprintf(out, "%s%s %.9f %.9f %lu\n", name, suffix, now.cpu, now.wall, uninterrupted() - waiting);
	fflush(out);
}

static void reached(unsigned vcpu, void *data)
{
	struct pattern *pattern = data;

	(void)vcpu;
	write_line(pattern->name, "");
}

static void returned(unsigned vcpu, void *data)
{
	struct pattern *pattern = data;

	(void)vcpu;
	write_line(pattern->name, "-return");
}

static void paused(unsigned vcpu, void *data)
{
	uint64_t now = uninterrupted();

	(void)vcpu;
	(void)data;
	if (now - last_pause <= WAIT_MAX)
		waiting += now - last_pause;
	last_pause = now;
}

/* `data`: the number of instructions in the handler's first block, which were already counted. */
static void interrupt_entered(unsigned vcpu, void *data)
{
	(void)vcpu;
	if (interrupts++ == 0)
		interrupt_start = counter_value(instructions) - (uintptr_t)data;
}

/* Other code uses this instruction as well: ignored unless a handler was entered. */
static void interrupt_left(unsigned vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (interrupts && --interrupts == 0)
		interrupted += counter_value(instructions) - interrupt_start;
}

static void hash_entered(unsigned vcpu, void *data)
{
	struct place *place = data;

	(void)vcpu;
	place->entered = clocks_now();
}

static void hash_left(unsigned vcpu, void *data)
{
	struct place *place = data;
	struct clocks now = clocks_now();

	(void)vcpu;
	place->spent.cpu += now.cpu - place->entered.cpu;
	place->spent.wall += now.wall - place->entered.wall;
}

static struct place *place_at(const struct pattern *pattern, uint64_t addr)
{
	struct place *place;

	for (size_t i = 0; i < place_count; i++) {
		if (places[i].addr == addr && places[i].pattern == pattern)
			return &places[i];
	}
	if (place_count == MAX)
		abort();
	place = &places[place_count++];
	*place = (struct place){
		.pattern = pattern, .addr = addr, .instructions = counter_new(), .bytes = counter_new()
	};
	return place;
}

/* --- translation --- */

/* Compares with the instructions from `index` on, up to the end of the block. */
static bool matches(const struct pattern *pattern, struct qemu_plugin_tb *tb, size_t index)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	size_t seen = 0;

	for (; index < count && seen < pattern->length; index++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, index);
		size_t size = qemu_plugin_insn_size(insn);
		uint8_t bytes[INSTRUCTION_MAX];

		instruction_bytes(insn, bytes);
		if (size > pattern->length - seen)
			size = pattern->length - seen;
		if (memcmp(bytes, pattern->bytes + seen, size) != 0)
			return false;
		seen += size;
	}
	return seen == pattern->length || seen >= BYTES_MIN;
}

static bool is(const struct qemu_plugin_insn *insn, size_t size, uint8_t first, uint8_t second)
{
	uint8_t bytes[INSTRUCTION_MAX];

	instruction_bytes(insn, bytes);
	return qemu_plugin_insn_size(insn) == size && bytes[0] == first && (size == 1 || bytes[1] == second);
}

/* PUSH vector; PUSH RAX; MOV RAX, handler; JMP RAX (edk2, UefiCpuPkg/Library/CpuExceptionHandlerLib/X64). */
static bool is_interrupt_stub(const struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *insns[4];
	uint8_t push[INSTRUCTION_MAX];

	if (qemu_plugin_tb_n_insns(tb) != ARRAY_SIZE(insns))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		insns[i] = qemu_plugin_tb_get_insn(tb, i);
	instruction_bytes(insns[0], push);
	return qemu_plugin_insn_size(insns[0]) == 5 && push[0] == 0x68 && push[1] >= INTERRUPT_VECTOR_MIN &&
	       is(insns[1], 1, 0x50, 0) && is(insns[2], 10, 0x48, 0xb8) && is(insns[3], 2, 0xff, 0xe0);
}

static void look_at(struct qemu_plugin_tb *tb, size_t index)
{
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, index);
	uint64_t addr = qemu_plugin_insn_vaddr(insn);

	if (is(insn, 2, 0xf3, 0x90)) /* PAUSE */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, paused, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (is(insn, 2, 0x48, 0xcf)) /* IRETQ */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, interrupt_left, QEMU_PLUGIN_CB_NO_REGS, NULL);
	for (size_t i = 0; i < pattern_count; i++) {
		struct pattern *pattern = &patterns[i];

		if (!matches(pattern, tb, index))
			continue;
		if (pattern->size) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, hash_entered, QEMU_PLUGIN_CB_NO_REGS,
							       place_at(pattern, addr));
			continue;
		}
		if (pattern->is_call)
			pattern->return_addr = addr + pattern->length;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, reached, QEMU_PLUGIN_CB_NO_REGS, pattern);
	}
}

/* Code inside a hash function whose beginning was recognised. */
static void look_inside(struct qemu_plugin_tb *tb, struct place *place)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	count_blocks(tb, place->instructions, count);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t bytes[INSTRUCTION_MAX];

		instruction_bytes(insn, bytes);
		if (qemu_plugin_insn_vaddr(insn) == place->addr + place->pattern->block)
			count_instruction(insn, place->bytes, BLOCK_SIZE * place->pattern->lanes);
		if (bytes[0] == 0xc3 && qemu_plugin_insn_size(insn) == 1)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, hash_left, QEMU_PLUGIN_CB_NO_REGS, place);
	}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t addr = qemu_plugin_tb_vaddr(tb);
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	count_blocks(tb, instructions, count);
	if (is_interrupt_stub(tb))
		qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), interrupt_entered,
						       QEMU_PLUGIN_CB_NO_REGS, (void *)count);
	for (size_t i = 0; i < count; i++)
		look_at(tb, i);
	for (size_t i = 0; i < place_count; i++) {
		if (addr - places[i].addr < places[i].pattern->size)
			look_inside(tb, &places[i]);
	}
	for (size_t i = 0; i < pattern_count; i++) {
		if (patterns[i].return_addr && patterns[i].return_addr == addr)
			qemu_plugin_register_vcpu_tb_exec_cb(tb, returned, QEMU_PLUGIN_CB_NO_REGS, &patterns[i]);
	}
}

/* --- options --- */

static bool parse_bytes(struct pattern *pattern, const char *hex)
{
	unsigned byte;

	while (pattern->length < BYTES_MAX && sscanf(hex, "%2x", &byte) == 1) {
		pattern->bytes[pattern->length++] = (uint8_t)byte;
		hex += 2;
	}
	return pattern->length > 0;
}

static bool parse(const char *option)
{
	struct pattern pattern = { .name = "hash" };
	char hex[2 * BYTES_MAX + 1];

	if (strncmp(option, "out=", 4) == 0) {
		out = fopen(option + 4, "w");
		return out != NULL;
	}
	pattern.is_call = strncmp(option, "call=", 5) == 0;
	if (sscanf(option, "at=%31[^:]:%128[0-9a-f]", pattern.name, hex) != 2 &&
	    sscanf(option, "call=%31[^:]:%128[0-9a-f]", pattern.name, hex) != 2 &&
	    sscanf(option, "hash=%128[0-9a-f]:%lu:%lu:%lu", hex, &pattern.size, &pattern.block, &pattern.lanes) != 4)
		return false;
	if (pattern_count == MAX || !parse_bytes(&pattern, hex))
		return false;
	patterns[pattern_count++] = pattern;
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!parse(argv[i])) {
			fprintf(stderr, "plugin: cannot use option %s\n", argv[i]);
			return 1;
		}
	}
	if (!out)
		return 1;
	instructions = counter_new();
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
