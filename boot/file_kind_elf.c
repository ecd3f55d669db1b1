// SPDX-License-Identifier: BSD-2-Clause
/* Names ELF files and multiboot kernels. */
#include "boot/file_kind_rules.h"

/* System V ABI, "ELF Header" */
enum {
	ELF_BYTE_ORDER = 5,
	ELF_LITTLE_ENDIAN = 1,
	ELF_TYPE = 16,
	ELF_TYPE_CORE = 4,
	ELF_MACHINE = 18,
	ELF_MACHINE_386 = 3,
	ELF_MACHINE_X86_64 = 62,
};

/* Multiboot Specification 0.6.96, 3.1, and 2.0, 3.1: aligned, and with a checksum. */
#define MULTIBOOT_1_MAGIC 0x1badb002u
#define MULTIBOOT_2_MAGIC 0xe85250d6u

static bool is_multiboot(const struct kernel_probe *probe, uint32_t magic, size_t align, size_t sum_of)
{
	for (size_t offset = 0; offset + 4 * sum_of <= probe->size; offset += align) {
		uint32_t sum = 0;

		for (size_t i = 0; i < sum_of; i++)
			sum += probe_number(probe, offset + 4 * i, 4);
		if (probe_number(probe, offset, 4) == magic && sum == 0)
			return true;
	}
	return false;
}

bool file_kind_find_multiboot(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	if (is_multiboot(probe, MULTIBOOT_2_MAGIC, 8, 4))
		return file_kind_set(ret_kind, "a multiboot 2 kernel, such as Xen", MULTIBOOT);
	if (is_multiboot(probe, MULTIBOOT_1_MAGIC, 4, 3))
		return file_kind_set(ret_kind, "a multiboot kernel, such as Xen", MULTIBOOT);
	return false;
}

bool file_kind_find_elf(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	uint32_t machine = probe_number(probe, ELF_MACHINE, 2);

	if (!probe_has(probe, 0, "\177ELF", 4))
		return false;
	if (file_kind_find_multiboot(probe, ret_kind))
		return true;
	if (probe_number(probe, ELF_BYTE_ORDER, 1) != ELF_LITTLE_ENDIAN ||
	    (machine != ELF_MACHINE_X86_64 && machine != ELF_MACHINE_386))
		return file_kind_set(ret_kind, "an ELF file for another machine", OTHER_MACHINE);
	if (probe_number(probe, ELF_TYPE, 2) == ELF_TYPE_CORE)
		return file_kind_set(ret_kind, "a core dump", KERNEL_WANTED);
	if (machine == ELF_MACHINE_386)
		return file_kind_set(ret_kind, "an ELF file for 32-bit x86", OTHER_MACHINE);
	return file_kind_set(ret_kind, "an ELF file", VMLINUX);
}
