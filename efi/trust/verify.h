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
 * shim if there is one, else the firmware, is asked about the whole file as it lies in memory, and the signature must
 * cover everything that will run. A kernel that our own image vouches for needs no signature: the platform has verified
 * our image before it ran.
 *
 * With Secure Boot off the platform vouches for nothing. Then any kernel boots, unless the plan has require_signature
 * or this loader was built with ENFORCE_SIGNATURE=1: either refuses all kernels. If a sealed plan has
 * require_signature, the kernel needs both seal and signature. If it is unknown whether Secure Boot is on, the kernel
 * is verified as if it were on, and require_signature and ENFORCE_SIGNATURE=1 refuse every kernel as if it were off.
 *
 * *ret_was_shown: the platform has been asked about the kernel, and so may have measured it. It is always written.
 */
enum kexec_status verify_kernel(const struct boot_plan *plan, const struct kernel *kernel, bool *ret_was_shown);

/*
 * The platform's verdict on an image of `size` bytes that lies in memory: EFI_SUCCESS, or the reason for its distrust.
 * With Secure Boot off it trusts any image that it can load. It measures the image into PCR 4.
 */
EFI_STATUS verify_ask(const void *bytes, uint64_t size);
