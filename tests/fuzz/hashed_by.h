// SPDX-License-Identifier: BSD-2-Clause
/*
 * Models of edk2 and shim, which hash a kernel before they trust it: the bytes of a PE32+ file that each one's
 * Authenticode digest covers. Written from their sources, step by step, and independently of boot/pe.c, which must
 * never claim more:
 *
 *   edk2  SecurityPkg/Library/DxeImageVerificationLib, HashPeImage; Tcg/Tcg2Dxe/MeasureBootPeCoff.c hashes the same.
 *         Its checks: MdePkg/Library/BasePeCoffLib/BasePeCoff.c, PeCoffLoaderGetPeHeader (commit c5aa7e7d94c0)
 *   shim  pe.c, generate_hash, and its checks: pe-relocate.c, read_header and get_section_vma (15.8 and 16.0).
 *         From 16.1 on (commit fb77b4455b71) it also hashes the rest of a file without certificates, and nothing less
 *
 * Both sort the sections by their place in the file. This affects the digest, but not which bytes are in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A file, of which only the first `readable` bytes are read: all headers must lie within them. */
struct hashed_file {
	const uint8_t *bytes;
	uint64_t readable;
	uint64_t size;
};

/* Receives each hashed range: `length` bytes from `start` on, which may end behind the file. */
typedef void hash_sink(void *context, uint64_t start, uint64_t length);

/*
 * Passes the hashed ranges to `sink`. Returns false if there is no digest, because the function gives up or would read
 * behind the file. The ranges passed until then do not count.
 */
bool hashed_by_edk2(const struct hashed_file *file, hash_sink *sink, void *context);
bool hashed_by_shim(const struct hashed_file *file, hash_sink *sink, void *context);

/*
 * Whether the checks before hashing accept the file. The model accepts more, because it lacks the checks of machine and
 * subsystem, relocations, debug directories, signatures and SBAT.
 */
bool accepted_by_edk2(const struct hashed_file *file);
bool accepted_by_shim(const struct hashed_file *file);
