// SPDX-License-Identifier: BSD-2-Clause
/* Looks for parts that nobody vouches for. */
#include "boot/network_policy.h"

#include "boot/log.h"

bool network_policy_applies(const struct boot_plan *plan)
{
	bool applies = plan->kernel.source == PART_ON_NETWORK;

	for (size_t i = 0; i < plan->initrd_count; i++)
		applies |= plan->initrds[i].source == PART_ON_NETWORK;
	return applies;
}

static bool is_believed(const struct boot_plan *plan, const struct boot_part *part)
{
	return part->source != PART_ON_NETWORK || plan->network_trusted || boot_part_has_digest(part);
}

enum kexec_status network_policy_check(const struct boot_plan *plan, bool platform_vouches)
{
	if (!platform_vouches && !is_believed(plan, &plan->kernel))
		return log_error(
			KEXEC_DENIED,
			"%s: comes over the network: expected a digest (fsverity or sha256), Secure Boot on, or "
			"\"network trust\" in %s, found none",
			plan->kernel.name, plan->said_by);
	for (size_t i = 0; i < plan->initrd_count; i++) {
		if (!is_believed(plan, &plan->initrds[i]))
			return log_error(KEXEC_DENIED,
					 "%s: comes over the network: expected a digest (fsverity or sha256), or "
					 "\"network trust\" in %s, found neither",
					 plan->initrds[i].name, plan->said_by);
	}
	return KEXEC_OK;
}
