// SPDX-License-Identifier: BSD-2-Clause
/* Proof that a structure is laid out as those who defined it have it. */
#pragma once

#include <stddef.h>

#define ASSERT_OFFSET(type, field, offset)                                                                             \
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field " stands at " #offset)
