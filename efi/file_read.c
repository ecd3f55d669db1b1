// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads files in pieces (UEFI specification 13.5, EFI_FILE_PROTOCOL.Read and ReadEx). Where firmware can, it reads one
 * piece while we hash the one before: OVMF can from NVMe and AHCI disks.
 */
#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/clock.h"
#include "efi/file.h"
#include "efi/firmware.h"

/* What all firmware can read at once, and what is still in the CPU's cache when it is hashed. */
#define PIECE_SIZE (1u << 20)

/*
 * Without a background each read costs, most of all where the firmware's FAT driver looks for the file's place on the
 * disk anew. After a first one that tells how fast the disk is, as much is read at once as comes within this time, so
 * that progress can be shown in between.
 */
#define LARGE_READ_USEC 250000
#define LARGE_READ_SIZE_FIRST (2ull * PIECE_SIZE)
#define LARGE_READ_SIZE_MAX (512ull * PIECE_SIZE)

/* Some firmware's disk drivers cannot reach memory above it, and do not say so. */
#define BOUNCE_ABOVE 0x100000000ull

/* A piece of a file on its way into memory. */
struct piece {
	EFI_FILE_IO_TOKEN token;
	UINTN wanted;	/* bytes; the firmware writes how many it reads into the token, often as soon as it begins */
	bool is_coming; /* in the background */
};

/* How much to ask for at once where `left` bytes are wanted. */
static uint64_t piece_size(const struct file *file, uint64_t left, const void *bounce)
{
	uint64_t most = PIECE_SIZE;

	if (file->handle && !file->has_read && !file->large_read_failed && !bounce)
		most = file->large_read_size ? file->large_read_size : LARGE_READ_SIZE_FIRST;
	return left < most ? left : most;
}

/* Lets a read of `size` bytes, a piece at most, into `buffer` begin. Without a background it waits for end_read. */
static void begin_read(struct file *file, void *buffer, uint64_t size, struct piece *ret_piece)
{
	*ret_piece = (struct piece){
		.token = { .Event = file->has_read, .BufferSize = size, .Buffer = buffer },
		.wanted = size,
	};
	if (!size || !file->has_read)
		return;
	firmware_feed_watchdog();
	ret_piece->is_coming = !EFI_ERROR(file->handle->ReadEx(file->handle, &ret_piece->token));
}

/* Until the event comes the memory is the firmware's, also where WaitForEvent refuses, as above TPL_APPLICATION. */
static EFI_STATUS await_read(struct piece *piece)
{
	EFI_BOOT_SERVICES *services = firmware_boot_services;
	EFI_STATUS status;
	UINTN index;

	status = services->WaitForEvent(1, &piece->token.Event, &index);
	if (EFI_ERROR(status)) {
		do {
			status = services->CheckEvent(piece->token.Event);
		} while (status == EFI_NOT_READY);
	}
	return EFI_ERROR(status) ? status : piece->token.Status;
}

/*
 * A read in the background was refused or went wrong, so from here on they wait. edk2's FAT may have moved the file's
 * position, and have parts of the read still under way, which it waits for here (FatPkg/EnhancedFatDxe/ReadWrite.c,
 * Misc.c: an error is told as soon as it comes).
 */
static EFI_STATUS stop_reading_ahead(struct file *file)
{
	EFI_STATUS status = file->handle->SetPosition(file->handle, file->done);

	firmware_boot_services->CloseEvent(file->has_read);
	file->has_read = NULL;
	return status;
}

static EFI_STATUS end_in_background(struct file *file, struct piece *piece)
{
	EFI_STATUS status = await_read(piece);

	if (EFI_ERROR(status))
		stop_reading_ahead(file);
	return status;
}

static EFI_STATUS read_and_wait(struct file *file, struct piece *piece)
{
	EFI_STATUS status = EFI_SUCCESS;

	firmware_feed_watchdog();
	if (file->has_read)
		status = stop_reading_ahead(file);
	if (EFI_ERROR(status))
		return status;
	piece->token.BufferSize = piece->wanted;
	return file->handle->Read(file->handle, &piece->token.BufferSize, piece->token.Buffer);
}

static void read_from_memory(struct file *file, struct piece *piece)
{
	uint64_t left = file->size - file->done;

	if (piece->token.BufferSize > left)
		piece->token.BufferSize = left;
	memcpy(piece->token.Buffer, file->memory + file->done, piece->token.BufferSize);
}

/* `size` bytes came in `usec`. Less than a piece says nothing. */
static void learn_speed(struct file *file, uint64_t size, uint64_t usec)
{
	uint64_t bytes_per_usec = size / (usec ? usec : 1);

	if (size < PIECE_SIZE)
		return;
	if (bytes_per_usec > LARGE_READ_SIZE_MAX / LARGE_READ_USEC)
		bytes_per_usec = LARGE_READ_SIZE_MAX / LARGE_READ_USEC;
	file->large_read_size = align_up(bytes_per_usec * LARGE_READ_USEC + 1, PIECE_SIZE);
}

/* Some firmware fails large reads with BAD_BUFFER_SIZE or another error, some brings nothing. */
static EFI_STATUS read_now(struct file *file, struct piece *piece)
{
	uint64_t start_usec = clock_usec();
	EFI_STATUS status = read_and_wait(file, piece);

	if (!EFI_ERROR(status) && piece->token.BufferSize) {
		learn_speed(file, piece->token.BufferSize, clock_usec() - start_usec);
		return status;
	}
	if (piece->wanted <= PIECE_SIZE)
		return status;
	log_verbose("%s: a read of %lu bytes found %s: reading less at once", file->path, piece->wanted,
		    efi_status_name(status));
	file->large_read_failed = true;
	piece->wanted = PIECE_SIZE;
	/* How far it came nobody knows. */
	status = file->handle->SetPosition(file->handle, file->done);
	return EFI_ERROR(status) ? status : read_and_wait(file, piece);
}

/* *ret_found is what was read, 0 at the end of the file. */
static enum kexec_status end_read(struct file *file, struct piece *piece, uint64_t *ret_found)
{
	EFI_STATUS status = EFI_SUCCESS;

	if (file->memory)
		read_from_memory(file, piece);
	else if (piece->is_coming)
		status = end_in_background(file, piece);
	else
		status = read_now(file, piece);
	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "%s: cannot read: expected %lu bytes, found %s", file->path,
				 piece->wanted, efi_status_name(status));
	if (piece->token.BufferSize > piece->wanted)
		return log_error(KEXEC_IO, "%s: cannot read: expected at most %lu bytes, found %lu", file->path,
				 piece->wanted, piece->token.BufferSize);
	*ret_found = piece->token.BufferSize;
	return KEXEC_OK;
}

/*
 * First for the purgatory, then for the check against the entry: a change before, or in between, is one that the check
 * finds, and one after that is the purgatory's.
 */
static void hash_piece(struct file *file, uint64_t addr, uint64_t size, struct digest *digest)
{
	if (digest) {
		clock_enter(PHASE_HASH);
		digest_arrived(digest, addr, size);
	}
	if (file->is_hashed) {
		clock_enter(PHASE_CHECK);
		sha256_update(&file->hash, phys_to_ptr(addr), size);
	}
	clock_enter(PHASE_READ);
}

/* A large read is hashed piece by piece too: without the SHA extensions that takes longer than reading. */
static void take_in(struct file *file, uint64_t addr, uint64_t size, struct digest *digest)
{
	while (size) {
		uint64_t part = size < PIECE_SIZE ? size : PIECE_SIZE;

		hash_piece(file, addr, part, digest);
		firmware_feed_watchdog();
		file->done += part;
		addr += part;
		size -= part;
		file_show_progress(file);
	}
}

/*
 * Through `bounce`, of a piece's size, if there is one. When it returns, be it with an error, no read is under way: one
 * begins only when the one before has ended well, and is waited for.
 */
static enum kexec_status read_all(struct file *file, uint64_t addr, uint64_t size, struct digest *digest, void *bounce)
{
	struct piece piece;

	begin_read(file, bounce ? bounce : phys_to_ptr(addr), piece_size(file, size, bounce), &piece);
	while (size) {
		uint64_t arrived = addr;
		uint64_t found;
		enum kexec_status status = end_read(file, &piece, &found);

		if (status)
			return status;
		if (found == 0)
			return log_error(KEXEC_TRUNCATED, "%s: ends early: expected %lu bytes, found %lu", file->path,
					 file->size, file->size - size);
		if (bounce)
			memcpy(phys_to_ptr(addr), bounce, found);
		addr += found;
		size -= found;
		begin_read(file, bounce ? bounce : phys_to_ptr(addr), piece_size(file, size, bounce), &piece);
		take_in(file, arrived, found, digest);
	}
	return KEXEC_OK;
}

enum kexec_status file_read(struct file *file, uint64_t addr, uint64_t size, struct digest *digest)
{
	EFI_PHYSICAL_ADDRESS bounce = BOUNCE_ABOVE - 1;
	enum kexec_status result;
	EFI_STATUS status;

	if (addr < BOUNCE_ABOVE && size <= BOUNCE_ABOVE - addr)
		return read_all(file, addr, size, digest, NULL);

	status = firmware_boot_services->AllocatePages(AllocateMaxAddress, EfiLoaderData, PIECE_SIZE / PAGE_SIZE,
						       &bounce);
	if (EFI_ERROR(status))
		return log_error(KEXEC_NO_MEMORY, "%s: expected 0x%x bytes below 4 GiB to read through, found %s",
				 file->path, PIECE_SIZE, efi_status_name(status));
	result = read_all(file, addr, size, digest, phys_to_ptr(bounce));
	firmware_boot_services->FreePages(bounce, PIECE_SIZE / PAGE_SIZE);
	return result;
}

enum kexec_status file_expect_end(struct file *file)
{
	struct piece piece;
	enum kexec_status status;
	uint64_t found = 0;
	uint8_t byte;

	begin_read(file, &byte, sizeof(byte), &piece);
	status = end_read(file, &piece, &found);
	if (!status && found)
		return log_error(KEXEC_MISMATCH, "%s: changed while it was read: expected %lu bytes, found more",
				 file->path, file->size);
	return status;
}
