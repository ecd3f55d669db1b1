// SPDX-License-Identifier: BSD-2-Clause
/* ELF files and multiboot kernels: the message names the kind of file. */
#include "boot/file_kind_rules.h"

#include "tests/unit/file_probe.h"
#include "tests/unit/support.h"

static void make_elf(uint8_t class, uint8_t order, uint16_t type, uint16_t machine)
{
	probe_make_noise();
	memcpy(probe_bytes, "\177ELF", 4);
	probe_put(4, class, 1);
	probe_put(5, order, 1);
	probe_put(16, type, 2);
	probe_put(18, machine, 2);
}

static void elf_files(void **state)
{
	(void)state;
	make_elf(2, 1, 2, 62);
	probe_expect_kind("an ELF file: take arch/x86/boot/bzImage, not vmlinux");
	make_elf(1, 1, 2, 3);
	probe_expect_kind("an ELF file for 32-bit x86: expected one for x86-64");
	make_elf(2, 1, 2, 183);
	probe_expect_kind("an ELF file for another machine: ");
	make_elf(2, 2, 2, 62 << 8);
	probe_expect_kind("an ELF file for another machine: ");
	make_elf(2, 1, 4, 62);
	probe_expect_kind("a core dump: ");
	probe_expect_kind_of_size("an ELF file", 4);
}

static void multiboot_kernels(void **state)
{
	(void)state;
	make_elf(1, 1, 2, 3);
	probe_put(0x1000 - 16, 0x1badb002, 4);
	probe_put(0x1000 - 12, 0x10003, 4);
	probe_put(0x1000 - 8, (uint32_t) - (0x1badb002 + 0x10003), 4);
	probe_expect_kind(
		"a multiboot kernel, such as Xen: GRUB's multiboot and multiboot2 start it, or its own .efi file");
	probe_bytes[0x1000 - 8] ^= 1;
	probe_expect_kind("an ELF file for 32-bit x86: ");
	/* At the end of the bytes that are searched. */
	probe_put(KERNEL_PROBE_SIZE - 12, 0x1badb002, 4);
	probe_put(KERNEL_PROBE_SIZE - 8, 3, 4);
	probe_put(KERNEL_PROBE_SIZE - 4, (uint32_t) - (0x1badb002 + 3), 4);
	probe_expect_kind("a multiboot kernel, such as Xen: ");
	/* A multiboot kernel that is not an ELF file. */
	probe_make_noise();
	probe_put(0x50, 0xe85250d6, 4);
	probe_put(0x54, 0, 4);
	probe_put(0x58, 24, 4);
	probe_put(0x5c, (uint32_t) - (0xe85250d6 + 24), 4);
	probe_expect_kind("a multiboot 2 kernel, such as Xen: ");
	/* Only checksum and alignment distinguish a header from random bytes. */
	memmove(probe_bytes + 0x54, probe_bytes + 0x50, 16);
	probe_put(0x50, 0x03030303, 4);
	expect_error(probe_plan(1 << 20), KEXEC_BAD_FORMAT, "boot_flag at 0x1fe: expected 0xaa55, found 0x303");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf_files),
		cmocka_unit_test(multiboot_kernels),
	};

	return run_named_tests(tests);
}
