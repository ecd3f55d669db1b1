// SPDX-License-Identifier: BSD-2-Clause
/*
 * For the files of boot/ that make plans: a plan that is being built. It allocates one piece of memory at the start,
 * large enough for everything that the text can say. So nothing fails later for lack of memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"
#include "boot/status.h"
#include "boot/text.h"
#include "common/purgatory_abi.h"

/* A line with the digest that a file must have. The file's own line may follow it. */
struct digest_line {
	struct text path;
	bool is_fsverity; /* fs-verity, otherwise SHA-256 */
	uint8_t digest[SHA256_DIGEST_SIZE];
};

struct plan_builder {
	struct boot_plan plan;
	struct digest_line *digests;
	size_t digest_count;
	char *command_line;
	char *next_name;	 /* place of the next string */
	enum part_source source; /* of all parts: the volume by default */
};

/* Who vouches for the kernel, and for each other part. */
struct plan_trust {
	enum trust kernel;
	enum trust others;
};

/*
 * Begins a plan with a copy of `text`, and with PART_ON_VOLUME as its source. There is room for all that the text can
 * say: each of its lines may add one initrd, digest, unknown key or options value, which stands in that line, behind
 * its key; and each initrd= in options may add an initrd. The caller must finish or give up a builder that was started.
 */
enum kexec_status plan_builder_start(struct plan_builder *builder, const char *said_by, struct text text);

/* Copies a name from a line of the text, and ends it with a NUL. */
const char *plan_builder_name(struct plan_builder *builder, struct text name);

void plan_builder_add_initrd(struct plan_builder *builder, struct text name);

/* Appends to the command line, behind a space unless it is empty. Empty options add nothing. */
void plan_builder_add_options(struct plan_builder *builder, struct text options);

/* Passes the finished plan to the caller. */
void plan_builder_finish(struct plan_builder *builder, const struct plan_trust *trust, struct boot_plan *ret_plan);

/*
 * Resumes a plan that was handed over, with room only for each initrd= of `text`. This works once for a plan. The
 * caller must hand back a resumed builder, even after an error, because the plan owns the memory.
 */
enum kexec_status plan_builder_resume(struct plan_builder *builder, const struct boot_plan *plan, struct text text);

/* Every added initrd has the kernel's source, and nobody vouches for it. */
void plan_builder_hand_back(const struct plan_builder *builder, struct boot_plan *plan);

/* Frees a plan that was refused. */
void plan_builder_give_up(struct plan_builder *builder);
