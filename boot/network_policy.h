// SPDX-License-Identifier: BSD-2-Clause
/*
 * When to trust a part that came over the network. Nobody can tell who sent it. So it must have a digest, or be a
 * kernel that the platform vouches for, or the entry must say `network trust`. That entry came the same way, unless it
 * is sealed: the rule keeps an administrator from trusting a network by mistake. It does not stop an attacker who
 * writes the entry.
 */
#pragma once

#include <stdbool.h>

#include "boot/plan.h"
#include "boot/status.h"

/* Whether any part of the plan comes over the network. */
bool network_policy_applies(struct boot_plan *plan);

/* `platform_vouches`: the kernel will not run unless the platform vouches for it. */
enum kexec_status network_policy_check(struct boot_plan *plan, bool platform_vouches);
