// SPDX-License-Identifier: BSD-2-Clause
/*
 * The signed values of register 11 that an entry names with `pcrsig`, and the public key that it names with `pcrpkey`.
 * They become archives in /.extra, like .pcrsig and .pcrpkey of a unified image.
 */
#pragma once

#include "boot/digest.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "boot/text.h"
#include "efi/extras/extras.h"
#include "efi/source/sources.h"

/* A file with a signature for each of many values and banks has about ten KiB. */
#define PCR_FILE_SIZE_MAX (1u << 20)

/*
 * Reads the files that the plan names, compares their digests with the plan's, and adds them to `extras`, which owns
 * their memory. *ret_key is the content of the key, to be measured; empty if there is none.
 */
enum kexec_status pcr_files_add(const struct boot_plan *plan, struct sources *sources, struct digest *digest,
				struct extras *extras, struct text *ret_key);
