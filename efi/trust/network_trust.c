// SPDX-License-Identifier: BSD-2-Clause
/* Asks whether the platform will judge the kernel. */
#include "efi/trust/network_trust.h"

#include "boot/network_policy.h"
#include "efi/trust/secureboot.h"

enum kexec_status network_trust_check(struct boot_plan *plan)
{
	if (!network_policy_applies(plan))
		return KEXEC_OK;
	/* With require_signature, verify_kernel refuses every kernel that the platform does not vouch for. */
	return network_policy_check(plan, plan->require_signature || secure_boot_is_on());
}
