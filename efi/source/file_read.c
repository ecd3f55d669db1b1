// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads files in pieces (UEFI specification 13.5, EFI_FILE_PROTOCOL.Read), each hashed before the next is read.
 *
 * ReadEx could read one while the one before is hashed. In edk2 its reads go on at the ticks of a timer, though: under
 * OVMF they take ten times as long from AHCI, and from NVMe as long as reading and hashing in turn. Another processor
 * could hash, but EFI_MP_SERVICES_PROTOCOL starts none beside this one after ReadyToBoot, which comes before any loader
 * (UEFI PI specification, volume 2, 13.4, StartupThisAP), and edk2 looks only ten times a second whether it has ended.
 */
#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/clock.h"
#include "efi/source/file.h"
#include "efi/services/firmware.h"

/* What all firmware can read at once, and what is still in the CPU's cache when it is hashed. */
#define PIECE_SIZE (1u << 20)

/*
 * Each read costs, most of all where the firmware's FAT driver looks for the file's place on the disk anew. After a
 * first one that tells how fast the disk is, as much is read at once as comes within this time, so that progress can be
 * shown in between.
 */
#define LARGE_READ_USEC 250000
#define LARGE_READ_SIZE_FIRST (2ull * PIECE_SIZE)
#define LARGE_READ_SIZE_MAX (512ull * PIECE_SIZE)

/*
 * From UEFI 2.4 on. Some firmware of 2011 and 2012 hangs at a large read (Linux, "x86, efi: Break up large initrd
 * reads"), some fails it and whatever is tried after it (systemd issue 25911): there it must not even be tried.
 */
#define LARGE_READ_REVISION ((2u << 16) | 40)

/* Some firmware's disk drivers cannot reach memory above it, and do not say so. */
#define BOUNCE_ABOVE 0x100000000ull

/* Once is enough, whichever file it was. */
static bool large_read_failed;

static bool can_read_large(const struct file *file)
{
	return file->handle && !large_read_failed && firmware_system_table->Hdr.Revision >= LARGE_READ_REVISION;
}

/* How much to ask for at once where `left` bytes are wanted. */
static uint64_t read_size(const struct file *file, uint64_t left, const void *bounce)
{
	uint64_t most = PIECE_SIZE;

	if (!bounce && can_read_large(file))
		most = file->large_read_size ? file->large_read_size : LARGE_READ_SIZE_FIRST;
	return left < most ? left : most;
}

static void read_from_memory(const struct file *file, void *buffer, UINTN *size)
{
	uint64_t left = file->size - file->done;

	if (*size > left)
		*size = left;
	memcpy(buffer, file->memory + file->done, *size);
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

static EFI_STATUS read_from_volume(struct file *file, void *buffer, UINTN *size)
{
	uint64_t start_usec = clock_usec();
	EFI_STATUS status;

	firmware_feed_watchdog();
	status = file->handle->Read(file->handle, size, buffer);
	if (!EFI_ERROR(status))
		learn_speed(file, *size, clock_usec() - start_usec);
	return status;
}

/*
 * Some firmware fails large reads with BAD_BUFFER_SIZE or another error, some brings nothing. How far it came nobody
 * knows, nor whether the handle is any good: a new one may be.
 */
static enum kexec_status stop_large_reads(struct file *file, uint64_t size, EFI_STATUS why)
{
	log_verbose("%s: a read of %lu bytes found %s: reading less at once", file->path, size, efi_status_name(why));
	large_read_failed = true;
	return file_reopen(file);
}

/* Reads at most `wanted` bytes. *ret_found is what was read, 0 at the end of the file. */
static enum kexec_status read_next(struct file *file, void *buffer, uint64_t wanted, uint64_t *ret_found)
{
	EFI_STATUS status = EFI_SUCCESS;
	UINTN found = wanted;

	if (file->memory)
		read_from_memory(file, buffer, &found);
	else
		status = read_from_volume(file, buffer, &found);
	if (wanted > PIECE_SIZE && (EFI_ERROR(status) || !found)) {
		enum kexec_status reopened = stop_large_reads(file, wanted, status);

		if (reopened)
			return reopened;
		wanted = PIECE_SIZE;
		found = wanted;
		status = read_from_volume(file, buffer, &found);
	}
	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "%s: cannot read: expected %lu bytes, found %s", file->path,
				 wanted, efi_status_name(status));
	if (found > wanted)
		return log_error(KEXEC_IO, "%s: cannot read: expected at most %lu bytes, found %lu", file->path, wanted,
				 found);
	*ret_found = found;
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

/* Through `bounce`, of a piece's size, if there is one. */
static enum kexec_status read_all(struct file *file, uint64_t addr, uint64_t size, struct digest *digest, void *bounce)
{
	while (size) {
		void *buffer = bounce ? bounce : phys_to_ptr(addr);
		uint64_t found;
		enum kexec_status status = read_next(file, buffer, read_size(file, size, bounce), &found);

		if (status)
			return status;
		if (found == 0)
			return log_error(KEXEC_TRUNCATED, "%s: ends early: expected %lu bytes, found %lu", file->path,
					 file->size, file->size - size);
		if (bounce)
			memcpy(phys_to_ptr(addr), bounce, found);
		take_in(file, addr, found, digest);
		addr += found;
		size -= found;
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
	enum kexec_status status;
	uint64_t found = 0;
	uint8_t byte;

	status = read_next(file, &byte, sizeof(byte), &found);
	if (!status && found)
		return log_error(KEXEC_MISMATCH, "%s: changed while it was read: expected %lu bytes, found more",
				 file->path, file->size);
	return status;
}
