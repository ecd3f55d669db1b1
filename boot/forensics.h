// SPDX-License-Identifier: BSD-2-Clause
/* Records the checksum of each page that files were read to, for the purgatory's report: common/page_record.h. */
#pragma once

#include "boot/digest.h"
#include "boot/kexec_image.h"

/*
 * Adds a segment with the checksums of all pages that hold regions of the segments of stage DIGEST_FILES, which must be
 * complete: 8 bytes a page. There must be PAGE_RECORD_RANGES of these segments at most. Without memory for it a warning
 * says so, and the record stays empty.
 */
void forensics_record_pages(struct kexec_image *kexec_image, const struct digest *digest,
			    struct page_record *ret_record);
