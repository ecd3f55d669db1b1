// SPDX-License-Identifier: BSD-2-Clause
/* Prepares the hand-over and leaves the firmware (UEFI specification 7.4.6, EFI_BOOT_SERVICES.ExitBootServices). */
#include "efi/linux/handover.h"

#include "boot/log.h"
#include "boot/pagetable.h"
#include "boot/stub_options.h"
#include "common/align.h"
#include "common/format.h"
#include "common/serial.h"
#include "common/string.h"
#include "efi/services/cpu.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"
#include "efi/linux/option_rom.h"
#include "efi/linux/platform.h"

/*
 * The map grows by what is allocated from here on, and some firmware adds a lot at the exit itself: a guest's, say,
 * that accepts all its memory then. Once an exit has been refused there is no way to get more room that could not
 * fail, so there is plenty from the start; hashing it takes no time that could be noticed.
 */
#define MAP_HEADROOM_DESCRIPTORS 1024
#define MAP_HEADROOM_FACTOR 2

/* A map that still changes after so many attempts changes for ever. */
#define EXIT_ATTEMPTS_MAX 64

static enum kexec_status add_memory_map(struct kexec_image *kexec_image, const struct memory_map *map,
					struct handover *handover)
{
	uint64_t size = MAP_HEADROOM_FACTOR * map->size + MAP_HEADROOM_DESCRIPTORS * map->descriptor_size;
	uint64_t descriptors;
	struct kexec_segment *segment;
	enum kexec_status status;

	size = align_up(size, PAGE_SIZE);
	status = kexec_image_add_data(kexec_image, "memory_map", size, DIGEST_LATE, &segment);
	if (status)
		return status;
	handover->memory_map_addr = segment->mem;
	handover->memory_map_capacity = size;
	memset(phys_to_ptr(segment->mem), 0, size);

	/* However small the descriptors of the last map are, their e820 entries will fit. */
	descriptors = size / sizeof(struct efi_descriptor);
	status = kexec_image_add_data(kexec_image, "e820_ext", boot_params_e820_ext_size(descriptors), DIGEST_LATE,
				      &segment);
	if (status)
		return status;
	handover->e820_ext = phys_to_ptr(segment->mem);
	memset(handover->e820_ext, 0, segment->bufsz);
	return KEXEC_OK;
}

static enum kexec_status add_page_tables(struct kexec_image *kexec_image, const struct memory_map *map,
					 struct handover *handover)
{
	struct page_tables tables = { .paging = cpu_paging() };
	struct kexec_segment *segment;
	enum kexec_status status;

	tables.capacity = page_tables_bound(&tables.paging, map, &handover->framebuffer);
	status = kexec_image_add_data(kexec_image, "page_tables", tables.capacity * PAGE_SIZE, DIGEST_EARLY, &segment);
	if (status)
		return status;
	tables.pool = phys_to_ptr(segment->mem);
	status = page_tables_build(&tables, map, &handover->framebuffer);
	if (status)
		return status;
	segment->bufsz = tables.count * PAGE_SIZE;
	handover->page_table_root = segment->mem;
	return KEXEC_OK;
}

enum kexec_status handover_prepare(const struct kernel *kernel, const struct kexec_segment *initrd,
				   const struct kexec_segment *cmdline, struct kexec_image *kexec_image,
				   struct handover *ret_handover)
{
	struct boot_params_request request = { .setup = kernel->probe, .cmdline = cmdline, .initrd = initrd };
	struct text command_line = { .start = phys_to_ptr(cmdline->mem), .length = cmdline->bufsz - 1 };
	struct kexec_segment *segment;
	struct platform platform;
	enum kexec_status status;
	struct memory_map map;

	if (cpu_memory_is_encrypted())
		return log_error(KEXEC_UNSUPPORTED, "expected memory in plain, found a guest with AMD SEV");
	status = kexec_image_add_data(kexec_image, "boot_params", sizeof(struct boot_params), DIGEST_LATE, &segment);
	if (status)
		return status;
	ret_handover->params = phys_to_ptr(segment->mem);
	platform_collect(&platform, &ret_handover->framebuffer);
	request.platform = &platform;
	boot_params_build(ret_handover->params, &request);
	/* A kernel without CONFIG_EFI_SOFT_RESERVE sets nothing aside; nothing in its file tells. */
	ret_handover->soft_reserve = !stub_option(command_line, TEXT("nosoftreserve"));

	status = memory_map_read(&map);
	if (status)
		return status;
	status = add_page_tables(kexec_image, &map, ret_handover);
	if (!status)
		status = add_memory_map(kexec_image, &map, ret_handover);
	memory_map_free(&map);
	if (status)
		return status;
	ret_handover->e820_ext->next = option_rom_collect(kexec_image);
	return KEXEC_OK;
}

/* One attempt. *exit_called: from then on the firmware may be half shut down. *ret_map_size is set in any case. */
static EFI_STATUS try_exit(const struct handover *handover, const struct digest *digest, bool *exit_called,
			   UINTN *ret_map_size)
{
	struct memory_map map = { .bytes = phys_to_ptr(handover->memory_map_addr) };
	UINTN descriptor_size;
	EFI_STATUS status;
	UINTN key;

	*ret_map_size = handover->memory_map_capacity;
	status = firmware_boot_services->GetMemoryMap(ret_map_size, (void *)map.bytes, &key, &descriptor_size,
						      &map.descriptor_version);
	if (EFI_ERROR(status))
		return status;
	map.size = *ret_map_size;
	map.descriptor_size = descriptor_size;
	if (map.size > handover->memory_map_capacity || !memmap_valid(&map))
		return EFI_ABORTED;
	boot_params_set_memory_map(handover->params, &map, handover->soft_reserve, handover->e820_ext);
	digest_finish(digest);
	*exit_called = true;
	return firmware_boot_services->ExitBootServices(firmware_image, key);
}

/* The console may be gone by now, so this speaks by itself. */
static __attribute__((format(printf, 1, 2))) _Noreturn void give_up(const char *format, ...)
{
	char reason[128];
	va_list args;

	va_start(args, format);
	format_text_va(reason, sizeof(reason), format, args);
	va_end(args);
	serial_write("kexec: ");
	serial_write(reason);
	serial_write("; resetting\n");
	firmware_runtime_services->ResetSystem(EfiResetCold, EFI_ABORTED, 0, NULL);
	cpu_halt();
}

enum kexec_status handover_exit(const struct handover *handover, const struct digest *digest)
{
	EFI_STATUS status = EFI_SUCCESS;
	bool exit_called = false;
	UINTN map_size;

	for (unsigned i = 0; i < EXIT_ATTEMPTS_MAX; i++) {
		status = try_exit(handover, digest, &exit_called, &map_size);
		if (!EFI_ERROR(status))
			return KEXEC_OK;
		if (!exit_called)
			return log_error(status_from_efi(status),
					 "memory map: expected at most 0x%lx bytes, found 0x%lx: %s",
					 handover->memory_map_capacity, map_size, efi_status_name(status));
		/* No attempt will find it smaller. */
		if (status == EFI_BUFFER_TOO_SMALL)
			give_up("memory map: expected at most 0x%lx bytes, found 0x%lx", handover->memory_map_capacity,
				map_size);
	}
	give_up("ExitBootServices: refused %u times: %s", EXIT_ATTEMPTS_MAX, efi_status_name(status));
}
