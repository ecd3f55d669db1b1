// SPDX-License-Identifier: BSD-2-Clause
/* Records the checksum of each page that the loader read files to, for the purgatory's report: common/page_record.h. */
#pragma once

#include "boot/digest.h"
#include "boot/kexec_image.h"

/*
 * Adds a segment with the checksums of all pages that hold regions of the segments of stage DIGEST_FILES, 8 bytes a
 * page. These segments must be complete, and at most PAGE_RECORD_RANGES. Best effort: without memory it warns, and the
 * record stays empty.
 */
void forensics_record_pages(struct kexec_image *kexec_image, const struct digest *digest,
			    struct page_record *ret_record);
