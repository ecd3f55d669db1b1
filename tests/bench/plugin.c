// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin for QEMU's TCG that counts the guest's instructions and notes when it reaches code that is known by its
 * bytes. What a loop runs while it waits is not counted, since it tells how fast this machine is and not what the guest
 * has to do.
 *
 * Options, all but the first repeatable, bytes in hex:
 *   out=FILE               where to write; each line begins with a name
 *   at=NAME:BYTES          writes "NAME CPU-SECONDS INSTRUCTIONS" before that code runs
 *   call=NAME:BYTES        the same for code that ends with a call, and "NAME-return ..." when that has returned
 *   hash=BYTES:SIZE:BLOCK  a function of SIZE bytes that at offset BLOCK begins to hash 64 bytes. With each line above
 *                          comes "hash ADDRESS BYTES CPU-SECONDS INSTRUCTIONS" for each place such code has run at
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/qemu_plugin.h"

/* --- what is looked for --- */

#define MAX 16
#define INSTRUCTION_MAX 15
#define BYTES_MAX 64

/* A loop around PAUSE waits for a device, or for a time, if a turn of it is no longer than this. */
#define WAIT_MAX 64

/* The fewest bytes of a pattern that a block of translated code, which may end anywhere, is known by. */
#define BYTES_MIN 7

struct pattern {
	char name[32];
	uint8_t bytes[BYTES_MAX];
	size_t length;
	bool is_call;
	uint64_t return_addr; /* 0: has not been called */
	uint64_t size;	      /* of a hash function */
	uint64_t block;
};

/* A hash function where it runs. */
struct place {
	const struct pattern *pattern;
	uint64_t addr;
	counter instructions;
	counter bytes;
	double entered;
	double seconds;
};

static struct pattern patterns[MAX];
static size_t pattern_count;
static struct place places[MAX];
static size_t place_count;
static counter instructions;
static uint64_t last_pause; /* count of instructions at the last PAUSE */
static uint64_t waiting;    /* instructions from one PAUSE to the next */
static FILE *out;

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void write_line(const char *name, const char *suffix)
{
	for (size_t i = 0; i < place_count; i++)
		fprintf(out, "hash %lx %lu %.9f %lu\n", places[i].addr, counter_value(places[i].bytes),
			places[i].seconds, counter_value(places[i].instructions));
	fprintf(out, "%s%s %.9f %lu\n", name, suffix, cpu_seconds(), counter_value(instructions) - waiting);
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
	uint64_t now = counter_value(instructions);

	(void)vcpu;
	(void)data;
	if (now - last_pause <= WAIT_MAX)
		waiting += now - last_pause;
	last_pause = now;
}

static void hash_entered(unsigned vcpu, void *data)
{
	struct place *place = data;

	(void)vcpu;
	place->entered = cpu_seconds();
}

static void hash_left(unsigned vcpu, void *data)
{
	struct place *place = data;

	(void)vcpu;
	place->seconds += cpu_seconds() - place->entered;
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

/* Compares with the instructions from `index` on, as far as the block goes. */
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

static bool is_pause(const struct qemu_plugin_insn *insn)
{
	uint8_t bytes[INSTRUCTION_MAX];

	instruction_bytes(insn, bytes);
	return qemu_plugin_insn_size(insn) == 2 && bytes[0] == 0xf3 && bytes[1] == 0x90;
}

static void look_at(struct qemu_plugin_tb *tb, size_t index)
{
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, index);
	uint64_t addr = qemu_plugin_insn_vaddr(insn);

	if (is_pause(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, paused, QEMU_PLUGIN_CB_NO_REGS, NULL);
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

/* What is inside a hash function that has been seen to begin. */
static void look_inside(struct qemu_plugin_tb *tb, struct place *place)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	count_blocks(tb, place->instructions, count);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t bytes[INSTRUCTION_MAX];

		instruction_bytes(insn, bytes);
		if (qemu_plugin_insn_vaddr(insn) == place->addr + place->pattern->block)
			count_instruction(insn, place->bytes, 64);
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
	    sscanf(option, "hash=%128[0-9a-f]:%lu:%lu", hex, &pattern.size, &pattern.block) != 3)
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
