// SPDX-License-Identifier: BSD-2-Clause
/*
 * For the files of boot/ that make plans: a plan in the making. One piece of memory is allocated at the start, large
 * enough for whatever the text can hold, so nothing after it can fail for lack of memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"
#include "boot/status.h"
#include "boot/text.h"
#include "common/purgatory_abi.h"

/* A line that says which digest a file must have. The file's own line may follow it. */
struct digest_line {
	struct text path;
	bool is_fsverity; /* a digest of fs-verity, or else SHA-256 */
	uint8_t digest[SHA256_DIGEST_SIZE];
};

struct plan_builder {
	struct boot_plan plan;
	struct digest_line *digests;
	size_t digest_count;
	char *command_line;
	char *next_name;	 /* where the next string goes */
	enum part_source source; /* of all parts: the volume, unless something else is said */
};

/* Who vouches for the kernel, and for each other part. */
struct plan_trust {
	enum trust kernel;
	enum trust others;
};

/*
 * Begins a plan with a copy of `text`, and with PART_ON_VOLUME as its source. There is room for what the text can say:
 * each of its lines may add one initrd, digest, unknown key or options value, which stands in that line, behind its
 * key; and each initrd= in options an initrd. A builder that was started must be finished or given up.
 */
enum kexec_status plan_builder_start(struct plan_builder *builder, const char *said_by, struct text text);

/* Copies a name from a line of the text, and ends it with a NUL. */
const char *plan_builder_name(struct plan_builder *builder, struct text name);

void plan_builder_add_initrd(struct plan_builder *builder, struct text name);

/* Appends to the command line, behind a space if something stands there already. Empty options add nothing. */
void plan_builder_add_options(struct plan_builder *builder, struct text options);

/* Hands the plan over. */
void plan_builder_finish(struct plan_builder *builder, const struct plan_trust *trust, struct boot_plan *ret_plan);

/*
 * Takes a plan that was handed over up again, with room for each initrd= of `text` and for nothing else. It can be done
 * once for a plan. A builder that was resumed must be handed back, also after an error: the plan owns the memory.
 */
enum kexec_status plan_builder_resume(struct plan_builder *builder, const struct boot_plan *plan, struct text text);

/* Each initrd that was added comes from where the kernel does, and nobody vouches for it. */
void plan_builder_hand_back(const struct plan_builder *builder, struct boot_plan *plan);

/* Frees a plan that was refused. */
void plan_builder_give_up(struct plan_builder *builder);
