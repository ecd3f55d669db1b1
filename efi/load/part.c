// SPDX-License-Identifier: BSD-2-Clause
/* Reads parts through a stream, and hashes them. */
#include "efi/load/part.h"

#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "efi/services/clock.h"

/*
 * The fs-verity digest that is compared with the plan is also the purgatory's. A SHA-256 is taken from a second read of
 * the same memory. It finds a change that came before the first read and persists at the second. The purgatory finds a
 * change after the first read. A device that undoes its change between the two reads can deceive this check.
 */
static void hash_piece(struct sink *sink, uint64_t addr, uint64_t size)
{
	struct part_reader *reader = (struct part_reader *)sink;

	if (!reader->digest && !reader->sections)
		return;
	clock_enter(PHASE_HASH);
	if (reader->digest)
		digest_arrived(reader->digest, size);
	else
		unified_hasher_arrived(reader->sections, phys_to_ptr(addr), size);
	if (reader->whole)
		fsverity_update(reader->whole, phys_to_ptr(addr), size);
	if (reader->part->sha256.is_known) {
		clock_enter(PHASE_CHECK);
		sha256_update(&reader->sha256, phys_to_ptr(addr), size);
	}
	clock_enter(PHASE_READ);
}

enum kexec_status part_open(struct sources *sources, const struct boot_part *part, struct part_reader *ret_reader)
{
	*ret_reader = (struct part_reader){ .sink = { .take = hash_piece }, .part = part };
	return stream_open(sources_find(sources, part->source), part->name, &ret_reader->stream);
}

uint64_t part_size(const struct part_reader *reader)
{
	return reader->stream.file.size;
}

enum kexec_status part_probe(struct part_reader *reader, void *buffer, uint64_t size)
{
	return stream_read(&reader->stream, (uintptr_t)buffer, size, NULL);
}

static enum kexec_status expect_digest(const struct boot_part *part, const char *kind,
				       const struct part_digest *expected, const uint8_t found[SHA256_DIGEST_SIZE])
{
	char expected_text[DIGEST_TEXT_SIZE];
	char found_text[DIGEST_TEXT_SIZE];

	if (!expected->is_known || sha256_equal(expected->bytes, found))
		return KEXEC_OK;
	format_digest(expected_text, expected->bytes);
	format_digest(found_text, found);
	return log_error(KEXEC_MISMATCH, "%s: %s mismatch: expected %s, found %s", part->name, kind, expected_text,
			 found_text);
}

/* `fsverity` is read only if the plan has such a digest. */
static enum kexec_status expect_digests(const struct part_reader *reader, const uint8_t fsverity[SHA256_DIGEST_SIZE])
{
	const struct boot_part *part = reader->part;
	uint8_t sha256[SHA256_DIGEST_SIZE];
	enum kexec_status status;

	status = expect_digest(part, "fsverity", &part->fsverity, fsverity);
	if (status || !part->sha256.is_known)
		return status;
	sha256_digest(&reader->sha256, sha256);
	return expect_digest(part, "sha256", &part->sha256, sha256);
}

static void start_sha256(struct part_reader *reader)
{
	if (reader->part->sha256.is_known)
		sha256_start(&reader->sha256);
}

enum kexec_status part_read(struct part_reader *reader, uint64_t addr, uint64_t size)
{
	return stream_read(&reader->stream, addr, size, &reader->sink);
}

static enum kexec_status expect_end(struct part_reader *reader)
{
	enum kexec_status status = stream_expect_end(&reader->stream);

	if (!status)
		stream_show_done(&reader->stream);
	return status;
}

/* Reads the rest behind the probe. */
static enum kexec_status read_rest(struct part_reader *reader, uint64_t addr)
{
	uint64_t probed = reader->stream.done;
	enum kexec_status status = part_read(reader, addr + probed, part_size(reader) - probed);

	return status ? status : expect_end(reader);
}

enum kexec_status part_load(struct part_reader *reader, uint64_t addr, struct digest *digest, const char *region)
{
	enum kexec_status status;

	reader->digest = digest;
	start_sha256(reader);
	digest_open(digest, region, addr);
	hash_piece(&reader->sink, addr, reader->stream.done);
	status = read_rest(reader, addr);
	return status ? status : expect_digests(reader, digest_close(digest));
}

enum kexec_status part_start_sections(struct part_reader *reader, struct unified_hasher *sections, const void *probe)
{
	enum kexec_status status;
	void *memory;

	if (reader->part->fsverity.is_known) {
		status = pool_alloc(sizeof(*reader->whole), reader->part->name, &memory);
		if (status)
			return status;
		reader->whole = memory;
		fsverity_start(reader->whole);
	}
	reader->sections = sections;
	start_sha256(reader);
	hash_piece(&reader->sink, (uintptr_t)probe, reader->stream.done);
	return KEXEC_OK;
}

enum kexec_status part_finish_sections(struct part_reader *reader)
{
	uint8_t fsverity[SHA256_DIGEST_SIZE] = { 0 };
	enum kexec_status status;

	status = expect_end(reader);
	if (status)
		return status;
	if (reader->whole)
		fsverity_finish(reader->whole, part_size(reader), fsverity);
	return expect_digests(reader, fsverity);
}

enum kexec_status part_load_unhashed(struct part_reader *reader, uint64_t addr)
{
	return read_rest(reader, addr);
}

enum kexec_status part_check(struct part_reader *reader, uint64_t addr, struct digest *digest)
{
	uint8_t fsverity[SHA256_DIGEST_SIZE];

	digest_of_file(digest, addr, part_size(reader), fsverity);
	start_sha256(reader);
	if (reader->part->sha256.is_known)
		sha256_update(&reader->sha256, phys_to_ptr(addr), part_size(reader));
	return expect_digests(reader, fsverity);
}

void part_close(struct part_reader *reader)
{
	pool_free(reader->whole);
	reader->whole = NULL;
	stream_close(&reader->stream);
}
