// SPDX-License-Identifier: BSD-2-Clause
/* Feeds the first bytes of files to boot/file_kind*.c, in memory of exactly their size. */
#include "boot/file_kind.h"

#include "tests/fuzz/input.h"

static void check_quote(const struct text *quote, const struct kernel_probe *probe)
{
	const char *first = (const char *)probe->bytes;

	if (!quote->length)
		return;
	assert(quote->start >= first && quote->start + quote->length <= first + probe->size);
	for (size_t i = 0; i < quote->length; i++)
		assert(quote->start[i] >= ' ' && quote->start[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t probe_size = size < KERNEL_PROBE_SIZE ? size : KERNEL_PROBE_SIZE;
	uint8_t *copy = malloc(probe_size);
	const struct kernel_probe probe = { .name = "input", .bytes = copy, .size = probe_size, .file_size = size };
	struct kernel_plan plan;
	struct file_kind kind;

	if (probe_size)
		memcpy(copy, bytes, probe_size);
	if (file_kind_find(&probe, &kind)) {
		assert(kind.name && kind.remedy);
		check_quote(&kind.quote, &probe);
		assert(file_kind_refuse("input", &kind) == KEXEC_BAD_FORMAT);
	}
	/* The usual call, with the same bytes. */
	(void)kernel_plan_file(&probe, &plan);
	free(copy);
	return 0;
}
