// SPDX-License-Identifier: BSD-2-Clause
/* boot/pool.h by malloc. */
#include "boot/log.h"
#include "boot/pool.h"
#include "tests/unit/support.h"

/* The content of fresh memory, which must not be zeros. */
#define GARBAGE 0xa5

static unsigned fail_in;
static unsigned outstanding;

void fake_pool_fail_at(unsigned n)
{
	fail_in = n;
}

unsigned fake_pool_outstanding(void)
{
	return outstanding;
}

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	if (fail_in && --fail_in == 0)
		return log_error(KEXEC_NO_MEMORY, "%s: out of memory, as the test wants it", what);
	*ret_memory = malloc(size);
	assert_non_null(*ret_memory);
	memset(*ret_memory, GARBAGE, size);
	outstanding++;
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	if (memory)
		outstanding--;
	free(memory);
}
