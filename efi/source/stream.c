// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads in pieces (UEFI specification 13.5, EFI_FILE_PROTOCOL.Read), and passes each on before it reads the next.
 *
 * ReadEx could read one piece while the one before is hashed. But in edk2 its reads advance only at the ticks of a
 * timer: under OVMF they take ten times as long from AHCI, and from NVMe as long as reading and hashing in turn.
 * Another processor could hash. But after ReadyToBoot, which comes before any loader, EFI_MP_SERVICES_PROTOCOL starts
 * no processor that runs beside this one (UEFI PI specification, volume 2, 13.4, StartupThisAP), and edk2 checks only
 * ten times a second whether it has ended.
 */
#include "efi/source/stream.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/clock.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"

/* Some firmware's disk drivers cannot reach memory above this, and do not report it. */
#define BOUNCE_ABOVE 0x100000000ull

enum kexec_status stream_open(struct source *source, const char *name, struct stream *ret_stream)
{
	*ret_stream = (struct stream){ .bears_large_reads = source->bears_large_reads };
	return source->open(source, name, &ret_stream->file);
}

void stream_close(struct stream *stream)
{
	/* A zeroed stream has no source. */
	if (stream->file.source)
		stream->file.source->close(&stream->file);
}

/* Bytes per microsecond are megabytes per second. */
static uint64_t mb_per_second(const struct stream *stream, uint64_t now)
{
	uint64_t elapsed = now - stream->start_usec;

	return elapsed ? stream->done / elapsed : 0;
}

static void show_progress(struct stream *stream)
{
	const struct source_file *file = &stream->file;
	uint64_t now = clock_usec();

	/* A source that reads a file whole shows its own progress. */
	if (file->source->reads_whole || now < stream->next_shown_usec || stream->done >= file->size)
		return;
	stream->next_shown_usec = now + PROGRESS_INTERVAL_USEC;
	console_progress(file->name, (unsigned)(stream->done * 100 / file->size), mb_per_second(stream, now));
}

static enum kexec_status read_once(struct stream *stream, void *buffer, uint64_t *size, const char **ret_why)
{
	struct source_file *file = &stream->file;
	uint64_t start_usec = clock_usec();
	enum kexec_status status;

	firmware_feed_watchdog();
	status = file->source->read(file, stream->done, buffer, size, ret_why);
	if (!status)
		read_size_learn(&file->source->read_size, *size, clock_usec() - start_usec);
	return status;
}

/*
 * A failed large read may have broken every open handle of the volume, so handles that were opened before it are
 * replaced.
 */
static enum kexec_status replace_old_handle(struct stream *stream)
{
	struct source *source = stream->file.source;

	if (stream->bears_large_reads == source->bears_large_reads)
		return KEXEC_OK;
	stream->bears_large_reads = source->bears_large_reads;
	return source->reopen(&stream->file, stream->done);
}

/*
 * Some firmware fails large reads with BAD_BUFFER_SIZE or another error; some returns no bytes. After one failure, all
 * files of the source get small reads.
 */
static enum kexec_status stop_large_reads(struct stream *stream, uint64_t size, const char *why)
{
	const struct source_file *file = &stream->file;

	log_verbose("%s: a read of %lu bytes found %s: reading less at once", file->name, size, why);
	file->source->bears_large_reads = false;
	return replace_old_handle(stream);
}

/* Reads at most `wanted` bytes. *ret_found is the number of bytes read, 0 at the end of the part. */
static enum kexec_status read_next(struct stream *stream, void *buffer, uint64_t wanted, uint64_t *ret_found)
{
	const char *name = stream->file.name;
	uint64_t found = wanted;
	enum kexec_status status;
	const char *why;

	status = replace_old_handle(stream);
	if (status)
		return status;
	status = read_once(stream, buffer, &found, &why);
	if (wanted > READ_SIZE_PIECE && !stream->file.source->reads_whole && (status || !found)) {
		status = stop_large_reads(stream, wanted, why);
		if (status)
			return status;
		wanted = READ_SIZE_PIECE;
		found = wanted;
		status = read_once(stream, buffer, &found, &why);
	}
	if (status && !why)
		return status;
	if (status)
		return log_error(status, "%s: cannot read: expected %lu bytes, found %s", name, wanted, why);
	if (found > wanted)
		return log_error(KEXEC_IO, "%s: cannot read: expected at most %lu bytes, found %lu", name, wanted,
				 found);
	*ret_found = found;
	return KEXEC_OK;
}

/* Passes a large read on piece by piece as well: without the SHA extensions hashing takes longer than reading. */
static void hand_on(struct stream *stream, uint64_t addr, uint64_t size, struct sink *sink)
{
	while (size) {
		uint64_t part = size < READ_SIZE_PIECE ? size : READ_SIZE_PIECE;

		if (sink)
			sink->take(sink, addr, part);
		firmware_feed_watchdog();
		stream->done += part;
		addr += part;
		size -= part;
		show_progress(stream);
	}
}

/* A bounce buffer holds one piece. */
static uint64_t size_to_ask(const struct source *source, uint64_t size, bool has_bounce)
{
	if (source->reads_whole && !has_bounce)
		return size;
	return read_size_next(&source->read_size, size, source->bears_large_reads && !has_bounce);
}

/* Reads through `bounce`, which holds one piece, if it is not NULL. */
static enum kexec_status read_all(struct stream *stream, uint64_t addr, uint64_t size, struct sink *sink, void *bounce)
{
	while (size) {
		uint64_t wanted = size_to_ask(stream->file.source, size, bounce != NULL);
		void *buffer = bounce ? bounce : phys_to_ptr(addr);
		enum kexec_status status;
		uint64_t found;

		status = read_next(stream, buffer, wanted, &found);
		if (status)
			return status;
		if (found == 0)
			return log_error(KEXEC_TRUNCATED, "%s: ends early: expected %lu bytes, found %lu",
					 stream->file.name, stream->file.size, stream->done);
		if (bounce)
			memcpy(phys_to_ptr(addr), bounce, found);
		hand_on(stream, addr, found, sink);
		addr += found;
		size -= found;
	}
	return KEXEC_OK;
}

enum kexec_status stream_read(struct stream *stream, uint64_t addr, uint64_t size, struct sink *sink)
{
	EFI_PHYSICAL_ADDRESS bounce = BOUNCE_ABOVE - 1;
	enum kexec_status result;
	EFI_STATUS status;

	if (!stream->start_usec) {
		stream->start_usec = clock_usec();
		stream->next_shown_usec = stream->start_usec + PROGRESS_AFTER_USEC;
	}
	if (addr < BOUNCE_ABOVE && size <= BOUNCE_ABOVE - addr)
		return read_all(stream, addr, size, sink, NULL);

	status = firmware_boot_services->AllocatePages(AllocateMaxAddress, EfiLoaderData, READ_SIZE_PIECE / PAGE_SIZE,
						       &bounce);
	if (EFI_ERROR(status))
		return log_error(KEXEC_NO_MEMORY, "%s: expected 0x%x bytes below 4 GiB to read through, found %s",
				 stream->file.name, READ_SIZE_PIECE, efi_status_name(status));
	result = read_all(stream, addr, size, sink, phys_to_ptr(bounce));
	firmware_boot_services->FreePages(bounce, READ_SIZE_PIECE / PAGE_SIZE);
	return result;
}

enum kexec_status stream_expect_end(struct stream *stream)
{
	const struct source_file *file = &stream->file;
	enum kexec_status status;
	uint64_t found = 0;
	uint8_t byte;

	status = read_next(stream, &byte, sizeof(byte), &found);
	if (!status && found)
		return log_error(KEXEC_MISMATCH, "%s: changed while it was read: expected %lu bytes, found more",
				 file->name, file->size);
	return status;
}

void stream_show_done(const struct stream *stream)
{
	console_progress_done(stream->file.name, mb_per_second(stream, clock_usec()));
}
