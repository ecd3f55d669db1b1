// SPDX-License-Identifier: BSD-2-Clause
/* Checks a kernel's header and plans its place. The conditions are those of arch/x86/kernel/kexec-bzimage64.c. */
#include "boot/bzimage.h"

#include "boot/bootparams.h"
#include "boot/log.h"
#include "boot/text.h"
#include "common/align.h"
#include "common/string.h"

#define SECTOR_SIZE 512u
#define SETUP_SECTS_DEFAULT 4u /* meaning of 0 */
#define PARAGRAPH_SIZE 16u
#define VERSION_MIN 0x020cu /* 2.12: xloadflags */

#define SETUP_HEADER_END (SETUP_HEADER_OFFSET + sizeof(struct setup_header))
#define SETUP_HEADER_END_MAX 0x290u /* the next fields of the zero page begin here */

/* The header's values, in bytes and addresses. */
struct header_values {
	uint64_t setup_size;  /* boot sector and setup sectors, in front of the protected-mode part */
	uint64_t kernel_size; /* bytes of the protected-mode part */
	uint64_t init_size;
	uint64_t cmdline_size;
	uint64_t pref_address;
	uint64_t alignment;
	uint64_t max_addr;   /* the highest address that this kernel accepts */
	uint64_t initrd_max; /* the highest address of a byte of the initrd */
	bool relocatable;
};

#define VERSION_TEXT_MAX 40u

/* boot.rst, "kernel_version": the kernel's version text, if it is within the probe. */
static struct text version_text(const struct kernel_probe *probe, const struct setup_header *header)
{
	size_t start = header->kernel_version + SECTOR_SIZE;
	struct text text;

	if (!header->kernel_version || start >= probe->size)
		return TEXT("no version");
	text = (struct text){ .start = (const char *)probe->bytes + start };
	while (start + text.length < probe->size && text.length < VERSION_TEXT_MAX && text.start[text.length] >= ' ' &&
	       text.start[text.length] <= '~')
		text.length++;
	return text;
}

static enum kexec_status check_protocol(const struct kernel_probe *probe, const struct setup_header *header)
{
	size_t header_end = SETUP_HEADER_OFFSET + offsetof(struct setup_header, header) + header->jump_distance;
	struct text version = version_text(probe, header);

	if (header->version < VERSION_MIN)
		return log_error(
			KEXEC_UNSUPPORTED,
			"%s: boot protocol at 0x206: expected 0x%04x or later, found 0x%04x (\"%.*s\"): memdisk, "
			"iPXE's .lkrn and Linux before 3.8 have older ones",
			probe->name, VERSION_MIN, header->version, TEXT_ARGS(version));
	if (header_end < offsetof(struct setup_header, handover_offset) + SETUP_HEADER_OFFSET ||
	    header_end > SETUP_HEADER_END_MAX)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: end of the header by 0x201: expected 0x%zx to 0x%x, found 0x%zx", probe->name,
				 offsetof(struct setup_header, handover_offset) + SETUP_HEADER_OFFSET,
				 SETUP_HEADER_END_MAX, header_end);
	return KEXEC_OK;
}

static enum kexec_status check_magic(const char *path, const struct setup_header *header)
{
	if (header->boot_flag != BOOT_FLAG)
		return log_error(KEXEC_BAD_FORMAT, "%s: no kernel: boot_flag at 0x1fe: expected 0x%x, found 0x%x", path,
				 BOOT_FLAG, header->boot_flag);
	if (header->header != SETUP_HEADER_MAGIC)
		return log_error(KEXEC_BAD_FORMAT, "%s: no kernel: header at 0x202: expected 0x%x \"HdrS\", found 0x%x",
				 path, SETUP_HEADER_MAGIC, header->header);
	return KEXEC_OK;
}

static enum kexec_status check_flags(const char *path, const struct setup_header *header, const struct paging *paging)
{
	if (!(header->loadflags & LOADED_HIGH))
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: loadflags at 0x211: expected LOADED_HIGH (0x%x), found 0x%x: this is no bzImage, "
				 "but a zImage",
				 path, LOADED_HIGH, header->loadflags);
	if (!(header->xloadflags & XLF_KERNEL_64))
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: xloadflags at 0x236: expected XLF_KERNEL_64 (0x%x), found 0x%x: this is for "
				 "32-bit x86",
				 path, XLF_KERNEL_64, header->xloadflags);
	if (paging->five_levels && !(header->xloadflags & XLF_5LEVEL))
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: xloadflags at 0x236: the CPU runs with 5-level paging: expected XLF_5LEVEL "
				 "(0x%x), found 0x%x",
				 path, XLF_5LEVEL, header->xloadflags);
	return KEXEC_OK;
}

static enum kexec_status check_sizes(const char *path, const struct header_values *kernel, uint64_t file_size)
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

static enum kexec_status check_place(const char *path, const struct header_values *kernel)
{
	if (!is_power_of_two(kernel->alignment) || kernel->alignment < PAGE_SIZE)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: kernel_alignment at 0x230: expected a power of two of at least 0x%x, found 0x%lx",
				 path, PAGE_SIZE, kernel->alignment);
	if (kernel->pref_address > kernel->max_addr ||
	    align_up(kernel->init_size, PAGE_SIZE) > kernel->max_addr - kernel->pref_address)
		return log_error(
			KEXEC_BAD_FORMAT,
			"%s: pref_address at 0x258: expected 0x%lx bytes of room below 0x%lx, found address 0x%lx",
			path, kernel->init_size, kernel->max_addr, kernel->pref_address);
	if (!kernel->relocatable && (kernel->pref_address % PAGE_SIZE || kernel->pref_address < LOW_MEMORY_END))
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: pref_address at 0x258: not relocatable: expected a multiple of 0x%x from 0x%x "
				 "on, found 0x%lx",
				 path, PAGE_SIZE, LOW_MEMORY_END, kernel->pref_address);
	return KEXEC_OK;
}

/* With XLF_CAN_BE_LOADED_ABOVE_4G, initrd_addr_max is a relic (arch/x86/boot/header.S); otherwise it is the limit. */
static uint64_t initrd_max(const struct setup_header *header)
{
	return header->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G ? UINT64_MAX : header->initrd_addr_max;
}

/* syssize counts paragraphs, and the last one need not be complete. */
static uint64_t kernel_size(const struct setup_header *header, uint64_t setup_size, uint64_t file_size)
{
	uint64_t size = (uint64_t)header->syssize * PARAGRAPH_SIZE;
	uint64_t found = file_size > setup_size ? file_size - setup_size : 0;

	return found < size && size - found < PARAGRAPH_SIZE ? found : size;
}

static struct header_values read_values(const struct setup_header *header, uint64_t file_size)
{
	uint64_t setup_sects = header->setup_sects ? header->setup_sects : SETUP_SECTS_DEFAULT;
	uint64_t setup_size = (setup_sects + 1) * SECTOR_SIZE;

	return (struct header_values){
		.setup_size = setup_size,
		.kernel_size = kernel_size(header, setup_size, file_size),
		.init_size = header->init_size,
		.cmdline_size = header->cmdline_size,
		.pref_address = header->pref_address,
		.alignment = header->kernel_alignment,
		.max_addr = header->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G ? UINT64_MAX : UINT32_MAX,
		.initrd_max = initrd_max(header),
		.relocatable = header->relocatable_kernel != 0,
	};
}

/* The setup sectors go right below the address. The request includes the whole file. */
static struct memory_request kernel_request(const struct header_values *kernel, uint64_t file_size)
{
	uint64_t rest_size = file_size - kernel->setup_size;
	struct memory_request request = {
		.kind = MEMORY_CODE,
		.lead = kernel->setup_size,
		.size = rest_size > kernel->init_size ? rest_size : kernel->init_size,
		.align = kernel->alignment,
		.min = kernel->pref_address,
		.max = kernel->max_addr,
	};

	if (!kernel->relocatable) {
		request.align = PAGE_SIZE;
		request.max = kernel->pref_address + (request.size - 1);
	}
	return request;
}

/* The kernel does not run there, so the request has no working space. */
static struct memory_request elsewhere(const struct header_values *kernel, uint64_t file_size)
{
	if (kernel->relocatable)
		return (struct memory_request){ 0 };
	return (struct memory_request){
		.kind = MEMORY_DATA,
		.top_down = true,
		.lead = kernel->setup_size,
		.size = file_size - kernel->setup_size,
		.align = PAGE_SIZE,
		.min = LOW_MEMORY_END,
		.max = UINT64_MAX,
		.preferred_max = UINT32_MAX,
	};
}

/* As high as possible, but preferably below 4 GiB, where all firmware can read to. */
static struct memory_request initrd_request(const struct header_values *kernel)
{
	return (struct memory_request){
		.kind = MEMORY_DATA,
		.top_down = true,
		.align = PAGE_SIZE,
		.min = LOW_MEMORY_END,
		.max = kernel->initrd_max,
		.preferred_max = kernel->initrd_max < UINT32_MAX ? 0 : UINT32_MAX,
	};
}

static struct setup_header read_header(const struct kernel_probe *probe)
{
	struct setup_header header;

	memcpy(&header, probe->bytes + SETUP_HEADER_OFFSET, sizeof(header));
	return header;
}

static bool holds_header(const struct kernel_probe *probe)
{
	return probe->size >= SETUP_HEADER_END && probe->file_size >= probe->size;
}

static bool is_bzimage(const struct kernel_probe *probe)
{
	struct setup_header header;

	if (!holds_header(probe))
		return false;
	header = read_header(probe);
	return header.boot_flag == BOOT_FLAG && header.header == SETUP_HEADER_MAGIC;
}

static enum kexec_status plan_bzimage(const struct kernel_probe *probe, struct kernel_plan *ret_plan)
{
	struct header_values kernel;
	struct setup_header header;
	enum kexec_status status;

	if (!holds_header(probe))
		return log_error(KEXEC_TRUNCATED, "%s: too short for a kernel: expected at least %zu bytes, found %lu",
				 probe->name, SETUP_HEADER_END, probe->file_size);
	header = read_header(probe);
	status = check_magic(probe->name, &header);
	if (status)
		return status;
	status = check_protocol(probe, &header);
	if (status)
		return status;
	status = check_flags(probe->name, &header, &probe->paging);
	if (status)
		return status;
	kernel = read_values(&header, probe->file_size);
	status = check_sizes(probe->name, &kernel, probe->file_size);
	if (status)
		return status;
	status = check_place(probe->name, &kernel);
	if (status)
		return status;
	*ret_plan = (struct kernel_plan){
		.format = &bzimage_format,
		.lead_size = kernel.setup_size,
		.content_size = kernel.kernel_size,
		.init_size = kernel.init_size,
		.entry_offset = BZIMAGE_ENTRY_64_OFFSET,
		.cmdline_size = kernel.cmdline_size,
		.memory = kernel_request(&kernel, probe->file_size),
		.elsewhere = elsewhere(&kernel, probe->file_size),
		.initrd_memory = initrd_request(&kernel),
	};
	return KEXEC_OK;
}

static size_t signed_ranges(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX])
{
	ret_ranges[0] = (struct file_range){ .start = SETUP_HEADER_OFFSET, .end = SETUP_HEADER_END_MAX };
	ret_ranges[1] = (struct file_range){ .start = plan->lead_size, .end = plan->lead_size + plan->content_size };
	return 2;
}

const struct kernel_format bzimage_format = {
	.name = "bzImage",
	.probe = is_bzimage,
	.plan = plan_bzimage,
	.signed_ranges = signed_ranges,
};
