// SPDX-License-Identifier: BSD-2-Clause
/* Checks a kernel's header and plans its place. The conditions are those of arch/x86/kernel/kexec-bzimage64.c. */
#include "boot/bzimage.h"

#include "boot/bootparams.h"
#include "boot/log.h"
#include "boot/pe.h"
#include "common/align.h"
#include "common/string.h"

#define SECTOR_SIZE 512u
#define SETUP_SECTS_DEFAULT 4u /* what a 0 stands for */
#define PARAGRAPH_SIZE 16u
#define VERSION_MIN 0x020cu /* 2.12: xloadflags */

#define SETUP_HEADER_END (SETUP_HEADER_OFFSET + sizeof(struct setup_header))
#define SETUP_HEADER_END_MAX 0x290u /* where the zero page goes on with other fields */

static enum kexec_status check_magic(const char *path, const struct setup_header *header)
{
	size_t header_end = SETUP_HEADER_OFFSET + offsetof(struct setup_header, header) + header->jump_distance;

	if (header->boot_flag != BOOT_FLAG)
		return log_error(KEXEC_BAD_FORMAT, "%s: no kernel: boot_flag at 0x1fe: expected 0x%x, found 0x%x", path,
				 BOOT_FLAG, header->boot_flag);
	if (header->header != SETUP_HEADER_MAGIC)
		return log_error(KEXEC_BAD_FORMAT, "%s: no kernel: header at 0x202: expected 0x%x \"HdrS\", found 0x%x",
				 path, SETUP_HEADER_MAGIC, header->header);
	if (header->version < VERSION_MIN)
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: boot protocol at 0x206: expected 0x%04x or later, found 0x%04x", path,
				 VERSION_MIN, header->version);
	if (header_end < offsetof(struct setup_header, handover_offset) + SETUP_HEADER_OFFSET ||
	    header_end > SETUP_HEADER_END_MAX)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: end of the header by 0x201: expected 0x%zx to 0x%x, found 0x%zx", path,
				 offsetof(struct setup_header, handover_offset) + SETUP_HEADER_OFFSET,
				 SETUP_HEADER_END_MAX, header_end);
	return KEXEC_OK;
}

static enum kexec_status check_flags(const char *path, const struct setup_header *header, bool la57)
{
	if (!(header->loadflags & LOADED_HIGH))
		return log_error(KEXEC_UNSUPPORTED, "%s: loadflags at 0x211: expected LOADED_HIGH (0x%x), found 0x%x",
				 path, LOADED_HIGH, header->loadflags);
	if (!(header->xloadflags & XLF_KERNEL_64))
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: xloadflags at 0x236: expected XLF_KERNEL_64 (0x%x), found 0x%x", path,
				 XLF_KERNEL_64, header->xloadflags);
	if (la57 && !(header->xloadflags & XLF_5LEVEL))
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: xloadflags at 0x236: the CPU runs with 5-level paging: expected XLF_5LEVEL "
				 "(0x%x), found 0x%x",
				 path, XLF_5LEVEL, header->xloadflags);
	return KEXEC_OK;
}

static enum kexec_status check_sizes(const char *path, const struct bzimage *kernel, uint64_t file_size)
{
	if (kernel->setup_size > file_size || kernel->kernel_size > file_size - kernel->setup_size)
		return log_error(KEXEC_TRUNCATED,
				 "%s: truncated: expected %lu bytes (setup %lu + syssize %lu), found %lu", path,
				 kernel->setup_size + kernel->kernel_size, kernel->setup_size, kernel->kernel_size,
				 file_size);
	if (kernel->kernel_size <= BZIMAGE_ENTRY_64_OFFSET)
		return log_error(KEXEC_BAD_FORMAT, "%s: syssize at 0x1f4: expected more than %u bytes, found %lu", path,
				 BZIMAGE_ENTRY_64_OFFSET, kernel->kernel_size);
	if (kernel->init_size < kernel->kernel_size)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: init_size at 0x260: expected at least syssize, 0x%lx bytes, found 0x%lx", path,
				 kernel->kernel_size, kernel->init_size);
	if (kernel->cmdline_size == 0)
		return log_error(KEXEC_BAD_FORMAT, "%s: cmdline_size at 0x238: expected at least 1, found 0", path);
	return KEXEC_OK;
}

static enum kexec_status check_place(const char *path, const struct bzimage *kernel)
{
	if (!is_power_of_two(kernel->alignment) || kernel->alignment < PAGE_SIZE)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: kernel_alignment at 0x230: expected a power of two of at least 0x%x, found 0x%lx",
				 path, PAGE_SIZE, kernel->alignment);
	if (kernel->pref_address > bzimage_max_addr(kernel) ||
	    kernel->init_size > bzimage_max_addr(kernel) - kernel->pref_address)
		return log_error(
			KEXEC_BAD_FORMAT,
			"%s: pref_address at 0x258: expected 0x%lx bytes of room below 0x%lx, found address 0x%lx",
			path, kernel->init_size, bzimage_max_addr(kernel), kernel->pref_address);
	if (!kernel->relocatable && kernel->pref_address % PAGE_SIZE)
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: pref_address at 0x258: expected a multiple of 0x%x, found 0x%lx", path, PAGE_SIZE,
				 kernel->pref_address);
	return KEXEC_OK;
}

/* initrd_addr_max is a relic (arch/x86/boot/header.S) where XLF_CAN_BE_LOADED_ABOVE_4G lifts it; else it holds. */
static uint64_t initrd_max(const struct setup_header *header)
{
	return header->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G ? UINT64_MAX : header->initrd_addr_max;
}

enum kexec_status bzimage_parse(const char *path, const uint8_t *probe, size_t probe_size, uint64_t file_size,
				bool la57, struct bzimage *ret_kernel)
{
	struct setup_header header;
	struct bzimage kernel;
	enum kexec_status status;
	uint64_t setup_sects;

	if (probe_size < SETUP_HEADER_END || file_size < probe_size)
		return log_error(KEXEC_TRUNCATED, "%s: too short for a kernel: expected at least %zu bytes, found %lu",
				 path, SETUP_HEADER_END, file_size);
	memcpy(&header, probe + SETUP_HEADER_OFFSET, sizeof(header));
	status = check_magic(path, &header);
	if (status)
		return status;
	status = check_flags(path, &header, la57);
	if (status)
		return status;

	setup_sects = header.setup_sects ? header.setup_sects : SETUP_SECTS_DEFAULT;
	kernel = (struct bzimage){
		.setup_size = (setup_sects + 1) * SECTOR_SIZE,
		.kernel_size = (uint64_t)header.syssize * PARAGRAPH_SIZE,
		.init_size = header.init_size,
		.cmdline_size = header.cmdline_size,
		.pref_address = header.pref_address,
		.alignment = header.kernel_alignment,
		.initrd_max = initrd_max(&header),
		.relocatable = header.relocatable_kernel != 0,
		.above_4g = (header.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) != 0,
	};
	status = check_sizes(path, &kernel, file_size);
	if (status)
		return status;
	status = check_place(path, &kernel);
	if (status)
		return status;
	*ret_kernel = kernel;
	return KEXEC_OK;
}

uint64_t bzimage_max_addr(const struct bzimage *kernel)
{
	return kernel->above_4g ? UINT64_MAX : UINT32_MAX;
}

struct memory_request bzimage_memory_request(const struct bzimage *kernel, uint64_t file_size)
{
	uint64_t rest_size = file_size - kernel->setup_size;
	struct memory_request request = {
		.kind = MEMORY_CODE,
		.lead = kernel->setup_size,
		.size = rest_size > kernel->init_size ? rest_size : kernel->init_size,
		.align = kernel->alignment,
		.min = kernel->pref_address,
		.max = bzimage_max_addr(kernel),
	};

	if (!kernel->relocatable) {
		request.align = PAGE_SIZE;
		request.max = kernel->pref_address + (request.size - 1);
	}
	return request;
}

struct memory_request bzimage_initrd_request(const struct bzimage *kernel, uint64_t size)
{
	return (struct memory_request){
		.kind = MEMORY_DATA,
		.top_down = true,
		.size = size,
		.align = PAGE_SIZE,
		.min = LOW_MEMORY_END,
		.max = kernel->initrd_max,
		.preferred_max = kernel->initrd_max < UINT32_MAX ? 0 : UINT32_MAX,
	};
}

static enum kexec_status check_signed(struct text path, const uint8_t *file, uint64_t size, uint64_t start,
				      uint64_t end)
{
	uint64_t found = pe_signed_until(file, size, start);

	if (found < end)
		return log_error(KEXEC_MISMATCH,
				 "%.*s: signature: expected it to cover all from 0x%lx to 0x%lx, found it ends at 0x%lx",
				 TEXT_ARGS(path), start, end, found);
	return KEXEC_OK;
}

enum kexec_status bzimage_check_signed(struct text path, const struct bzimage *kernel, const uint8_t *file,
				       uint64_t file_size)
{
	enum kexec_status status = check_signed(path, file, file_size, SETUP_HEADER_OFFSET, SETUP_HEADER_END_MAX);

	return status ? status
		      : check_signed(path, file, file_size, kernel->setup_size,
				     kernel->setup_size + kernel->kernel_size);
}
