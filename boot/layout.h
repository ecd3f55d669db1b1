// SPDX-License-Identifier: BSD-2-Clause
/* Proves that a structure has the layout of its specification. */
#pragma once

#include <stddef.h>

#define ASSERT_OFFSET(type, field, offset)                                                                             \
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field " stands at " #offset)
