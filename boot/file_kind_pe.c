// SPDX-License-Identifier: BSD-2-Clause
/* Names PE images that are no kernels for x86-64. */
#include "boot/file_kind_rules.h"

#include "boot/pe.h"

/* PE/COFF specification, "COFF File Header", "Machine Types" and "Windows Subsystem" */
enum {
	PE_OFFSET = 0x3c,
	COFF_SECTION_COUNT = 6,
	COFF_OPTIONAL_HEADER_SIZE = 20,
	COFF_SIZE = 24,
	SECTION_HEADER_SIZE = 40,

	MACHINE_I386 = 0x14c,
	MACHINE_RISCV64 = 0x5064,
	MACHINE_LOONGARCH64 = 0x6264,
	MACHINE_X86_64 = 0x8664,
	MACHINE_ARM64 = 0xaa64,

	SUBSYSTEM_EFI_APPLICATION = 10,
	SUBSYSTEM_EFI_BOOT_DRIVER = 11,
	SUBSYSTEM_EFI_RUNTIME_DRIVER = 12,
};

static const char *name_of_foreign_image(uint16_t machine)
{
	switch (machine) {
	case MACHINE_I386:
		return "a PE image for 32-bit x86";
	case MACHINE_RISCV64:
		return "a PE image for RISC-V";
	case MACHINE_LOONGARCH64:
		return "a PE image for LoongArch";
	case MACHINE_ARM64:
		return "a PE image for ARM64";
	default:
		return "a PE image for another machine";
	}
}

static bool find_x86_image(uint16_t subsystem, bool is_cut, struct file_kind *ret_kind)
{
	switch (subsystem) {
	case SUBSYSTEM_EFI_APPLICATION:
		return file_kind_set(ret_kind, "an EFI application", is_cut ? CUT_OFF : START_IT);
	case SUBSYSTEM_EFI_BOOT_DRIVER:
	case SUBSYSTEM_EFI_RUNTIME_DRIVER:
		return file_kind_set(ret_kind, "an EFI driver", DRIVER);
	default:
		return file_kind_set(ret_kind, "a Windows program", KERNEL_WANTED);
	}
}

/* Whether it is a PE image whose section table ends behind the probe. */
static bool has_long_headers(const struct kernel_probe *probe)
{
	size_t pe = probe_number(probe, PE_OFFSET, 4);
	uint64_t table_end = pe + COFF_SIZE + probe_number(probe, pe + COFF_OPTIONAL_HEADER_SIZE, 2) +
			     (uint64_t)probe_number(probe, pe + COFF_SECTION_COUNT, 2) * SECTION_HEADER_SIZE;

	return probe_has(probe, pe, "PE\0\0", 4) && table_end > probe->size && probe->size < probe->file_size;
}

/* In real images the PE header is nearer to the beginning than this. */
#define PE_OFFSET_USUAL_MAX 0x1000u

/*
 * Whether the file ends within the headers of a PE image. A DOS program may have any number in place of the header's
 * offset.
 */
static bool has_headers_cut_off(const struct kernel_probe *probe)
{
	size_t pe = probe_number(probe, PE_OFFSET, 4);

	if (probe->file_size != probe->size)
		return false;
	if (probe->size < PE_OFFSET + 4)
		return true;
	return probe_has(probe, pe, "PE\0\0", 4) ||
	       (pe >= PE_OFFSET + 4 && pe < PE_OFFSET_USUAL_MAX && pe + 4 > probe->size);
}

/*
 * Whether a section's content ends behind the end of the file. Returns false for a file that is larger than the probe.
 */
static bool is_cut_off(const struct kernel_probe *probe, const struct pe_image *image)
{
	struct pe_section section;

	if (probe->file_size != probe->size)
		return false;
	for (uint32_t i = 0; pe_section_at(image, i, &section); i++) {
		if (section.file_size && (uint64_t)section.file_offset + section.file_size > probe->file_size)
			return true;
	}
	return false;
}

/*
 * Whether the image has sections of an addon. An image that also has a .linux is a unified image, and was recognised
 * before. Xen's unified images have a .kernel.
 */
static bool is_addon(const struct pe_image *image)
{
	struct pe_section section;
	bool has_addition = false;

	for (uint32_t i = 0; pe_section_at(image, i, &section); i++) {
		if (pe_section_is(&section, ".kernel"))
			return false;
		has_addition |= pe_section_is(&section, ".cmdline") || pe_section_is(&section, ".initrd") ||
				pe_section_is(&section, ".ucode") || pe_section_is(&section, ".dtbauto");
	}
	return has_addition;
}

/* The magic of an EFI zboot image is from Linux, drivers/firmware/efi/libstub/zboot-header.S. */
bool file_kind_find_pe(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	const struct pe_image image = { .bytes = probe->bytes, .size = probe->size, .layout = PE_FILE };
	uint16_t subsystem;
	uint16_t machine;

	if (!probe_has(probe, 0, "MZ", 2))
		return false;
	if (probe_has(probe, 4, "zimg", 4))
		return file_kind_set(ret_kind, "an EFI zboot image", OTHER_MACHINE);
	if (!pe_machine(&image, &machine, &subsystem)) {
		if (has_long_headers(probe))
			return file_kind_set(ret_kind, "a PE image whose headers are too long", FEWER_SECTIONS);
		if (has_headers_cut_off(probe))
			return file_kind_set(ret_kind, "an image that is cut off", COPY_AGAIN);
		return file_kind_set(ret_kind, "a DOS program", KERNEL_WANTED);
	}
	if (machine != MACHINE_X86_64)
		return file_kind_set(ret_kind, name_of_foreign_image(machine), OTHER_MACHINE);
	if (is_addon(&image))
		return file_kind_set(ret_kind, "an addon, without a section .linux", ADDON);
	return find_x86_image(subsystem, is_cut_off(probe, &image), ret_kind);
}
