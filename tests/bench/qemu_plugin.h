// SPDX-License-Identifier: BSD-2-Clause
/*
 * The used part of QEMU's interface for TCG plugins (docs/devel/tcg-plugins.rst), because Debian ships no header.
 * PLUGIN_API is its version: 1 for QEMU 7.2, 4 for QEMU 10. Wrappers hide the differences: counting, and reading an
 * instruction's bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_op {
	QEMU_PLUGIN_INLINE_ADD_U64,
};

enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
};

typedef void qemu_plugin_vcpu_udata_cb(unsigned vcpu, void *data);
typedef void qemu_plugin_vcpu_tb_trans_cb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb *cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_vcpu_udata_cb *cb,
					  enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_udata_cb *cb,
					    enum qemu_plugin_cb_flags flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = PLUGIN_API;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

#if PLUGIN_API == 1

typedef uint64_t *counter;

void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op, void *place,
					      uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *place,
						uint64_t value);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

static inline counter counter_new(void)
{
	return calloc(1, sizeof(uint64_t));
}

static inline uint64_t counter_value(counter place)
{
	return *place;
}

static inline void count_blocks(struct qemu_plugin_tb *tb, counter place, uint64_t value)
{
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, place, value);
}

static inline void count_instruction(struct qemu_plugin_insn *insn, counter place, uint64_t value)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, place, value);
}

static inline void instruction_bytes(const struct qemu_plugin_insn *insn, uint8_t *bytes)
{
	memcpy(bytes, qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
}

#else

struct qemu_plugin_scoreboard;

typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} counter;

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_sum(counter entry);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, enum qemu_plugin_op op, counter entry,
						       uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn, enum qemu_plugin_op op,
							 counter entry, uint64_t value);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *buffer, size_t size);

static inline counter counter_new(void)
{
	return (counter){ .score = qemu_plugin_scoreboard_new(sizeof(uint64_t)) };
}

static inline uint64_t counter_value(counter place)
{
	return qemu_plugin_u64_sum(place);
}

static inline void count_blocks(struct qemu_plugin_tb *tb, counter place, uint64_t value)
{
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64, place, value);
}

static inline void count_instruction(struct qemu_plugin_insn *insn, counter place, uint64_t value)
{
	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_PLUGIN_INLINE_ADD_U64, place, value);
}

static inline void instruction_bytes(const struct qemu_plugin_insn *insn, uint8_t *bytes)
{
	qemu_plugin_insn_data(insn, bytes, qemu_plugin_insn_size(insn));
}

#endif
