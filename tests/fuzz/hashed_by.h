// SPDX-License-Identifier: BSD-2-Clause
/*
 * Models of those who hash a kernel before it is trusted: which bytes of a PE32+ file each of them takes into its
 * Authenticode digest. Written from their sources, step by step, without a look at boot/pe.c, which must never claim
 * more:
 *
 *   edk2  SecurityPkg/Library/DxeImageVerificationLib, HashPeImage; Tcg/Tcg2Dxe/MeasureBootPeCoff.c hashes the same.
 *         Its checks: MdePkg/Library/BasePeCoffLib/BasePeCoff.c, PeCoffLoaderGetPeHeader (commit c5aa7e7d94c0)
 *   shim  pe.c, generate_hash, and its checks: pe-relocate.c, read_header and get_section_vma (15.8 and 16.0).
 * From 16.1 on (commit fb77b4455b71) it hashes the rest of a file without certificates as well, and nothing less
 *
 * Both sort the sections by their place in the file, which decides the digest, but not which bytes are in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A file of which only its first `readable` bytes are looked at: all headers must lie within. */
struct hashed_file {
	const uint8_t *bytes;
	uint64_t readable;
	uint64_t size;
};

/* Is told of each range that is hashed: `length` bytes from `start` on, which may pass the end of the file. */
typedef void hash_sink(void *context, uint64_t start, uint64_t length);

/*
 * Hands `sink` what is hashed. Returns false where no digest comes of it: the function gives up, or it would read
 * behind the file. What was handed over until then does not count.
 */
bool hashed_by_edk2(const struct hashed_file *file, hash_sink *sink, void *context);
bool hashed_by_shim(const struct hashed_file *file, hash_sink *sink, void *context);

/*
 * Whether the checks that come before let the file through. Not modelled, so that more is let through: the kinds of
 * machine and subsystem, relocations, debug directories, signatures, SBAT.
 */
bool accepted_by_edk2(const struct hashed_file *file);
bool accepted_by_shim(const struct hashed_file *file);
