// SPDX-License-Identifier: BSD-2-Clause
/* Whether the kernel may be booted: the platform's verdict on the bytes that will run. */
#pragma once

#include <efi.h>

#include "boot/plan.h"
#include "boot/status.h"
#include "efi/load/load.h"

/* 1 in a build that boots nothing unless Secure Boot is on: make ENFORCE_SIGNATURE=1. */
#ifndef ENFORCE_SIGNATURE
#define ENFORCE_SIGNATURE 0
#endif

/*
 * Refuses a kernel that nobody vouches for. With Secure Boot on, it must be signed by a key that the platform trusts:
 * shim if there is one, else the firmware, is asked about the whole file as it lies in memory, and what will run must
 * be covered by the signature. A kernel that our own image vouches for needs no signature: the platform has verified
 * our image before it ran.
 *
 * With Secure Boot off the platform vouches for nothing. Then any kernel boots, unless the plan has require_signature
 * or this loader was built with ENFORCE_SIGNATURE=1: either refuses them all. A plan that is sealed and has
 * require_signature asks for both. Where it is unknown whether Secure Boot is on, the kernel is verified as if it were,
 * and either of the two refuses every kernel as if it were not.
 *
 * *ret_was_shown: the platform has been asked about the kernel, and so may have measured it. It is written in any case.
 */
enum kexec_status verify_kernel(const struct boot_plan *plan, const struct kernel *kernel, bool *ret_was_shown);

/*
 * The platform's verdict on an image of `size` bytes that lies in memory: EFI_SUCCESS, or why it does not trust it.
 * With Secure Boot off it trusts any image that it can load. It measures the image into PCR 4.
 */
EFI_STATUS verify_ask(const void *bytes, uint64_t size);
