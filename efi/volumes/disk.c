// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the table itself instead of using EFI_PARTITION_INFO_PROTOCOL, which is new in UEFI 2.7: some firmware does not
 * have it.
 */
#include "efi/volumes/disk.h"

#include "boot/log.h"
#include "common/align.h"
#include "efi/services/firmware.h"

/* Some firmware's disk drivers cannot reach memory above this. */
#define BUFFER_MAX_ADDR 0xffffffffull

/* A multiple of every allowed block size, and large enough for a header. */
#define BUFFER_SIZE GPT_ENTRIES_SIZE_MAX
#define BLOCK_SIZE_MIN 512

/* Reads `size` bytes, rounded up to whole blocks. Returns NULL, or the error. */
static const char *read_blocks(EFI_BLOCK_IO *disk, uint64_t lba, size_t size, void *buffer)
{
	const EFI_BLOCK_IO_MEDIA *media = disk->Media;
	EFI_STATUS status;

	status = disk->ReadBlocks(disk, media->MediaId, lba, align_up(size, media->BlockSize), buffer);
	return EFI_ERROR(status) ? efi_status_name(status) : NULL;
}

/* Reads the table whose header is at `lba`, and leaves its entries in the buffer. */
static const char *read_gpt(EFI_BLOCK_IO *disk, uint64_t lba, uint8_t *buffer, struct gpt *ret_gpt)
{
	const EFI_BLOCK_IO_MEDIA *media = disk->Media;
	const char *wrong;

	wrong = read_blocks(disk, lba, media->BlockSize, buffer);
	if (!wrong)
		wrong = gpt_read_header(buffer, media->BlockSize, lba, media->LastBlock, ret_gpt);
	if (!wrong)
		wrong = read_blocks(disk, ret_gpt->entries_lba, ret_gpt->entries_size, buffer);
	if (!wrong)
		wrong = gpt_check_entries(ret_gpt, buffer);
	return wrong;
}

static enum kexec_status read_either_gpt(EFI_BLOCK_IO *disk, const char *wanted, uint8_t *buffer, struct gpt *ret_gpt)
{
	const EFI_BLOCK_IO_MEDIA *media = disk->Media;
	const char *wrong;

	if (media->BlockSize < BLOCK_SIZE_MIN || media->BlockSize > BUFFER_SIZE || !is_power_of_two(media->BlockSize))
		return log_error(KEXEC_BAD_FORMAT,
				 "volume %s: expected a disk with blocks of 512 bytes or more, found %u", wanted,
				 media->BlockSize);
	wrong = read_gpt(disk, GPT_FIRST_LBA, buffer, ret_gpt);
	if (!wrong)
		return KEXEC_OK;
	log_verbose("volume %s: the first partition table cannot be used (%s): reading the second", wanted, wrong);
	wrong = read_gpt(disk, media->LastBlock, buffer, ret_gpt);
	if (wrong)
		return log_error(KEXEC_NOT_FOUND,
				 "volume %s: expected a GUID partition table on the disk of this program, found %s",
				 wanted, wrong);
	return KEXEC_OK;
}

enum kexec_status disk_find_partition(EFI_BLOCK_IO *disk, const char *wanted, const uint8_t type[GPT_GUID_SIZE],
				      const char *preferred, char ret_partuuid[PARTUUID_SIZE], size_t *ret_count)
{
	EFI_PHYSICAL_ADDRESS buffer = BUFFER_MAX_ADDR;
	enum kexec_status result;
	EFI_STATUS status;
	struct gpt gpt;

	status = firmware_boot_services->AllocatePages(AllocateMaxAddress, EfiLoaderData, BUFFER_SIZE / PAGE_SIZE,
						       &buffer);
	if (EFI_ERROR(status))
		return log_error(KEXEC_NO_MEMORY,
				 "volume %s: expected 0x%x bytes below 4 GiB to read through, found %s", wanted,
				 BUFFER_SIZE, efi_status_name(status));
	result = read_either_gpt(disk, wanted, phys_to_ptr(buffer), &gpt);
	if (!result)
		*ret_count = gpt_find(&gpt, phys_to_ptr(buffer), type, preferred, ret_partuuid);
	firmware_boot_services->FreePages(buffer, BUFFER_SIZE / PAGE_SIZE);
	return result;
}
