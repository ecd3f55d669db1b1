// SPDX-License-Identifier: BSD-2-Clause
/* Whether parts that come over the network may be booted. */
#pragma once

#include "boot/plan.h"
#include "boot/status.h"

/* Refuses a part that comes over the network and that nobody vouches for (boot/network_policy.h). */
enum kexec_status network_trust_check(struct boot_plan *plan);
