// SPDX-License-Identifier: BSD-2-Clause
/* Puts a stream and its hashes together. */
#include "efi/source/part.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "efi/services/clock.h"

/*
 * First for the purgatory, then for the check against the plan: a change before, or in between, is one that the check
 * finds, and one after that is the purgatory's.
 */
static void hash_piece(struct sink *sink, uint64_t addr, uint64_t size)
{
	struct part_reader *reader = (struct part_reader *)sink;

	if (reader->digest) {
		clock_enter(PHASE_HASH);
		digest_arrived(reader->digest, addr, size);
	}
	if (reader->part->sha256.is_known) {
		clock_enter(PHASE_CHECK);
		sha256_update(&reader->hash, phys_to_ptr(addr), size);
	}
	clock_enter(PHASE_READ);
}

enum kexec_status part_open(struct sources *sources, const struct boot_part *part, struct part_reader *ret_reader)
{
	*ret_reader = (struct part_reader){ .sink = { .take = hash_piece }, .part = part };
	if (part->sha256.is_known)
		sha256_start(&ret_reader->hash);
	return stream_open(sources_find(sources, part->source), part->name, &ret_reader->stream);
}

uint64_t part_size(const struct part_reader *reader)
{
	return reader->stream.file.size;
}

enum kexec_status part_read(struct part_reader *reader, uint64_t addr, uint64_t size, struct digest *digest)
{
	reader->digest = digest;
	return stream_read(&reader->stream, addr, size, &reader->sink);
}

static enum kexec_status check_digest(const struct part_reader *reader)
{
	const struct boot_part *part = reader->part;
	uint8_t found[SHA256_DIGEST_SIZE];
	char expected_text[DIGEST_TEXT_SIZE];
	char found_text[DIGEST_TEXT_SIZE];

	if (!part->sha256.is_known)
		return KEXEC_OK;
	sha256_digest(&reader->hash, found);
	if (sha256_equal(part->sha256.bytes, found))
		return KEXEC_OK;
	format_digest(expected_text, part->sha256.bytes);
	format_digest(found_text, found);
	return log_error(KEXEC_MISMATCH, "%s: sha256 mismatch: expected %s, found %s", part->name, expected_text,
			 found_text);
}

enum kexec_status part_finish(struct part_reader *reader)
{
	enum kexec_status status;

	status = stream_expect_end(&reader->stream);
	if (status)
		return status;
	stream_show_done(&reader->stream);
	return check_digest(reader);
}

void part_close(struct part_reader *reader)
{
	stream_close(&reader->stream);
}
