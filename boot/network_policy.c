// SPDX-License-Identifier: BSD-2-Clause
/* Finds parts that nobody vouches for. */
#include "boot/network_policy.h"

#include "boot/log.h"

bool network_policy_applies(struct boot_plan *plan)
{
	struct boot_part *part;
	bool applies = false;

	for (size_t i = 0; (part = boot_plan_part(plan, i)) != NULL; i++)
		applies |= part->source == PART_ON_NETWORK;
	return applies;
}

static bool is_believed(const struct boot_plan *plan, const struct boot_part *part)
{
	return part->source != PART_ON_NETWORK || plan->network_trusted || boot_part_has_digest(part);
}

enum kexec_status network_policy_check(struct boot_plan *plan, bool platform_vouches)
{
	struct boot_part *part;

	if (!platform_vouches && !is_believed(plan, &plan->kernel))
		return log_error(
			KEXEC_DENIED,
			"%s: comes over the network: expected a digest (fsverity or sha256), Secure Boot on, or "
			"\"network trust\" in %s, found none",
			plan->kernel.name, plan->said_by);
	for (size_t i = 1; (part = boot_plan_part(plan, i)) != NULL; i++) {
		if (!is_believed(plan, part))
			return log_error(KEXEC_DENIED,
					 "%s: comes over the network: expected a digest (fsverity or sha256), or "
					 "\"network trust\" in %s, found neither",
					 part->name, plan->said_by);
	}
	return KEXEC_OK;
}
