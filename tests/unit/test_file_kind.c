// SPDX-License-Identifier: BSD-2-Clause
/* Files that are no kernels: the message names the kind of file. */
#include "boot/file_kind.h"

#include "common/format.h"
#include "tests/unit/support.h"

static uint8_t bytes[KERNEL_PROBE_SIZE];

/* Content that resembles no known kind: neither zeros nor text. */
static void make_noise(void)
{
	memset(bytes, 0x03, sizeof(bytes));
}

static void put(size_t offset, uint64_t value, size_t size)
{
	memcpy(bytes + offset, &value, size);
}

static enum kexec_status plan_file(uint64_t file_size)
{
	const struct kernel_probe probe = {
		.name = "/vmlinuz",
		.bytes = bytes,
		.size = file_size < sizeof(bytes) ? file_size : sizeof(bytes),
		.file_size = file_size,
	};
	struct kernel_plan plan;

	return kernel_plan_file(&probe, &plan);
}

static void expect_kind_of_size(const char *kind, uint64_t file_size)
{
	char message[256];

	format_text(message, sizeof(message), "/vmlinuz: expected a kernel (bzImage), found %s", kind);
	expect_error(plan_file(file_size), KEXEC_BAD_FORMAT, message);
}

static void expect_kind(const char *kind)
{
	expect_kind_of_size(kind, 1 << 20);
}

/* --- magic numbers --- */

static void magic_numbers(void **state)
{
	static const struct {
		const char *magic;
		size_t size;
		size_t offset;
		const char *kind;
	} files[] = {
		{ "\x1f\x8b\x08", 3, 0, "a gzip file: unpack it first" },
		{ "\xfd\x37\x7a\x58\x5a\x00", 6, 0, "an xz file: unpack it first" },
		{ "\x28\xb5\x2f\xfd", 4, 0, "a zstd file: unpack it first" },
		{ "\x04\x22\x4d\x18", 4, 0, "an lz4 file: unpack it first" },
		{ "\x02\x21\x4c\x18", 4, 0, "an lz4 file of the old format: unpack it first" },
		{ "BZh9", 4, 0, "a bzip2 file: unpack it first" },
		{ "\x89LZO\x00\x0d\x0a\x1a\x0a", 9, 0, "an lzop file: unpack it first" },
		{ "\x5d\x00\x00\x80\x00", 5, 0, "an lzma file: unpack it first; an initrd stays as it is" },
		{ "070701", 6, 0, "a cpio archive: an initrd's line is initrd: were the two lines swapped?" },
		{ "070702", 6, 0, "a cpio archive: an initrd's line is initrd" },
		{ "070707", 6, 0, "a cpio archive of the old format: " },
		{ "\xc7\x71", 2, 0, "a cpio archive of the old format: " },
		{ "LZIP", 4, 0, "an lzip file: unpack it first" },
		{ "ARM\x64", 4, 56, "a kernel for ARM64: expected one for x86-64" },
		{ "RSC\x05", 4, 56, "a kernel for RISC-V: " },
		{ "\x18\x28\x6f\x01", 4, 36, "a kernel for ARM (zImage): " },
		{ "NTFS    ", 8, 3, "an NTFS file system: " },
		{ "EXFAT   ", 8, 3, "an exFAT file system: " },
		{ "KDMV", 4, 0, "a VMDK disk image: " },
		{ "vhdxfile", 8, 0, "a VHDX disk image: " },
		{ "7z\xbc\xaf\x27\x1c", 6, 0, "a 7z archive: unpack the kernel from it" },
		{ "Rar!\x1a\x07", 6, 0, "a RAR archive: " },
		{ "MSWIM\0\0\0", 8, 0, "a Windows image (WIM): " },
		{ "\xea\x05\x00\xc0\x07", 5, 0, "a PXE boot program for BIOS: " },
		{ "hsqs", 4, 0, "a squashfs file system: name a file in it" },
		{ "XFSB", 4, 0, "an XFS file system: " },
		{ "LUKS\xba\xbe", 6, 0, "an encrypted volume (LUKS): " },
		{ "EFI PART", 8, 512, "a disk image (GPT): " },
		{ "\xe2\xe1\xf5\xe0", 4, 1024, "an EROFS file system: " },
		{ "\x53\xef", 2, 1080, "an ext4 file system: " },
		{ "FAT16   ", 8, 54, "a FAT file system: " },
		{ "FAT32   ", 8, 82, "a FAT file system: " },
		{ "QFI\xfb", 4, 0, "a qcow2 disk image: " },
		{ "\xd0\x0d\xfe\xed", 4, 0, "a device tree: kernels for x86 need none" },
		{ "\x27\x05\x19\x56", 4, 0, "a U-Boot image (uImage): take the bzImage that it was made of" },
		{ "ANDROID!", 8, 0, "an Android boot image: " },
		{ "!<arch>\n", 8, 0, "a Debian package, or another ar archive: unpack the kernel from it" },
		{ "\xed\xab\xee\xdb", 4, 0, "an RPM package: " },
		{ "PK\x03\x04", 4, 0, "a zip archive: " },
		{ "ustar", 5, 257, "a tar archive: " },
		{ "\xff\xfel\0i\0", 6, 0, "a text in UTF-16: " },
		{ "\x55\xaa", 2, 510, "a boot sector or disk image: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		make_noise();
		memcpy(bytes + files[i].offset, files[i].magic, files[i].size);
		expect_kind(files[i].kind);
		/* Without its last byte it is another kind, and nothing is read behind the end. */
		bytes[files[i].offset + files[i].size - 1] ^= 0xff;
		assert_int_not_equal(plan_file(files[i].offset + files[i].size - 1), KEXEC_OK);
		log_clear();
	}
}

/* --- PE images --- */

/* Headers of an image with one section. */
static void make_image(uint16_t machine, uint16_t subsystem, const char *section)
{
	make_noise();
	memcpy(bytes, "MZ", 2);
	put(4, 0, 4);
	put(0x3c, 0x80, 4);
	memcpy(bytes + 0x80, "PE\0\0", 4);
	put(0x84, machine, 2);
	put(0x86, 1, 2);
	put(0x94, 0xf0, 2);
	put(0x98, 0x20b, 2);
	put(0x98 + 68, subsystem, 2);
	memset(bytes + 0x98 + 0xf0, 0, 8);
	memcpy(bytes + 0x98 + 0xf0, section, strlen(section));
}

static void images_for_x86_64(void **state)
{
	(void)state;
	make_image(0x8664, 10, ".text");
	expect_kind("an EFI application: start it from the firmware or the boot menu");
	make_image(0x8664, 11, ".text");
	expect_kind("an EFI driver: ");
	make_image(0x8664, 12, ".text");
	expect_kind("an EFI driver: ");
	make_image(0x8664, 3, ".text");
	expect_kind("a Windows program: ");
	/* Names that only begin alike are different. */
	make_image(0x8664, 10, ".linuxes");
	expect_kind("an EFI application: ");
}

static void addons_of_unified_images(void **state)
{
	static const char *const names[] = { ".cmdline", ".initrd", ".ucode", ".dtbauto" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make_image(0x8664, 10, names[i]);
		expect_kind("an addon, without a section .linux: it goes to IMAGE.efi.extra.d, beside a unified image");
		/* Xen has a section with such a name. */
		put(0x86, 2, 2);
		memcpy(bytes + 0x98 + 0xf0 + 40, ".kernel", 8);
		expect_kind("an EFI application: start it");
	}
	make_image(0xaa64, 10, ".cmdline");
	expect_kind("a PE image for ARM64: ");
}

/* The file has a section of 0x100 bytes at 0x200, and was read completely. */
static void image_that_is_cut_off(void **state)
{
	(void)state;
	make_image(0x8664, 10, ".text");
	put(0x98 + 0xf0 + 16, 0x100, 4);
	put(0x98 + 0xf0 + 20, 0x200, 4);
	expect_kind_of_size("an EFI application: start it", 0x300);
	expect_kind_of_size("an EFI application: it is cut off; was the disk full when it was copied?", 0x2ff);
	put(0x98 + 0xf0 + 20, 0xffffffff, 4);
	expect_kind_of_size("an EFI application: it is cut off", KERNEL_PROBE_SIZE);
	expect_kind_of_size("an EFI application: start it", KERNEL_PROBE_SIZE + 1);
	put(0x98 + 0xf0 + 16, 0, 4);
	expect_kind_of_size("an EFI application: start it", 0x300);
	/* The end is within the headers. */
	for (uint64_t size = 2; size < 0x98; size++)
		expect_kind_of_size("an image that is cut off: was the disk full when it was copied?", size);
}

static void images_for_other_machines(void **state)
{
	static const struct {
		uint16_t machine;
		const char *kind;
	} images[] = {
		{ 0x14c, "a PE image for 32-bit x86: expected one for x86-64" },
		{ 0x5064, "a PE image for RISC-V: " },
		{ 0x6264, "a PE image for LoongArch: " },
		{ 0xaa64, "a PE image for ARM64: expected one for x86-64" },
		{ 0x200, "a PE image for another machine: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		make_image(images[i].machine, 10, ".text");
		expect_kind(images[i].kind);
	}
}

/*
 * In a longer file, the section table ends behind the bytes that were read. In a shorter file, the headers are cut off.
 */
static void image_of_too_many_sections(void **state)
{
	(void)state;
	make_image(0x8664, 10, ".linux");
	put(0x86, 250, 2);
	expect_kind_of_size("a PE image whose headers are too long: with about 195 sections", KERNEL_PROBE_SIZE + 1);
	expect_kind_of_size("an image that is cut off: ", KERNEL_PROBE_SIZE);
}

/* Linux, drivers/firmware/efi/libstub/zboot-header.S. */
static void zboot_image(void **state)
{
	(void)state;
	make_image(0xaa64, 10, ".text");
	memcpy(bytes + 4, "zimg", 4);
	memcpy(bytes + 0x18, "gzip", 5);
	expect_kind("an EFI zboot image: expected one for x86-64");
}

static void image_without_headers(void **state)
{
	(void)state;
	make_image(0x8664, 10, ".linux");
	put(0x3c, KERNEL_PROBE_SIZE - 23, 4);
	expect_kind("a DOS program: ");
	put(0x3c, UINT32_MAX, 4);
	expect_kind("a DOS program: ");
	/* The optional header ends before the subsystem. */
	make_image(0x8664, 10, ".linux");
	put(0x94, 69, 2);
	expect_kind("a DOS program: ");
	/* The field has no meaning. */
	put(0x3c, 0x90909090, 4);
	expect_kind_of_size("a DOS program: ", 0x300);
	put(0x3c, 0x3f, 4);
	expect_kind_of_size("a DOS program: ", 0x300);
}

/* --- ELF files and multiboot kernels --- */

static void make_elf(uint8_t class, uint8_t order, uint16_t type, uint16_t machine)
{
	make_noise();
	memcpy(bytes, "\177ELF", 4);
	put(4, class, 1);
	put(5, order, 1);
	put(16, type, 2);
	put(18, machine, 2);
}

static void elf_files(void **state)
{
	(void)state;
	make_elf(2, 1, 2, 62);
	expect_kind("an ELF file: take arch/x86/boot/bzImage, not vmlinux");
	make_elf(1, 1, 2, 3);
	expect_kind("an ELF file for 32-bit x86: expected one for x86-64");
	make_elf(2, 1, 2, 183);
	expect_kind("an ELF file for another machine: ");
	make_elf(2, 2, 2, 62 << 8);
	expect_kind("an ELF file for another machine: ");
	make_elf(2, 1, 4, 62);
	expect_kind("a core dump: ");
	expect_kind_of_size("an ELF file", 4);
}

static void multiboot_kernels(void **state)
{
	(void)state;
	make_elf(1, 1, 2, 3);
	put(0x1000 - 16, 0x1badb002, 4);
	put(0x1000 - 12, 0x10003, 4);
	put(0x1000 - 8, (uint32_t) - (0x1badb002 + 0x10003), 4);
	expect_kind("a multiboot kernel, such as Xen: GRUB's multiboot and multiboot2 start it, or its own .efi file");
	bytes[0x1000 - 8] ^= 1;
	expect_kind("an ELF file for 32-bit x86: ");
	/* At the end of the bytes that are searched. */
	put(KERNEL_PROBE_SIZE - 12, 0x1badb002, 4);
	put(KERNEL_PROBE_SIZE - 8, 3, 4);
	put(KERNEL_PROBE_SIZE - 4, (uint32_t) - (0x1badb002 + 3), 4);
	expect_kind("a multiboot kernel, such as Xen: ");
	/* A multiboot kernel that is not an ELF file. */
	make_noise();
	put(0x50, 0xe85250d6, 4);
	put(0x54, 0, 4);
	put(0x58, 24, 4);
	put(0x5c, (uint32_t) - (0xe85250d6 + 24), 4);
	expect_kind("a multiboot 2 kernel, such as Xen: ");
	/* Only checksum and alignment distinguish a header from random bytes. */
	memmove(bytes + 0x54, bytes + 0x50, 16);
	put(0x50, 0x03030303, 4);
	expect_error(plan_file(1 << 20), KEXEC_BAD_FORMAT, "boot_flag at 0x1fe: expected 0xaa55, found 0x303");
}

/* --- texts, and files without content --- */

static void expect_text(const char *text, const char *kind)
{
	make_noise();
	memcpy(bytes, text, strlen(text));
	expect_kind_of_size(kind, strlen(text));
}

static void texts(void **state)
{
	(void)state;
	expect_text("<!DOCTYPE html>\n<html>",
		    "a web page or XML (\"<!DOCTYPE html>\"): it may be the error message of a download");
	expect_text("\xef\xbb\xbf\r\n <Error>", "a web page or XML (\"<Error>\")");
	expect_text("#!/bin/sh\nexit 0\n", "a script (\"#!/bin/sh\"): ");
	expect_text(
		"version https://git-lfs.github.com/spec/v1\noid",
		"a pointer of Git LFS (\"version https://git-lfs.github.com/spec/\"): git lfs pull fetches the file");
	expect_text("version https://git-lfs.github.com/specs", "a text (\"version");
	expect_text("{\"message\": \"Not Found\"}", "a text in JSON (\"{\"message\": \"Not Found\"}\"): it may be the "
						    "error message of a download");
	expect_text("title Gr\xc3\xbc\xc3\x9f\x65\n", "a text (\"title Gr\"): is the path right?");
	expect_text("\n\t\n", "a text: is the path right?");
	expect_text("x", "a text (\"x\")");
}

static void text_as_long_as_the_probe(void **state)
{
	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	expect_kind("a text (\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\")");
	memset(bytes, ' ', sizeof(bytes));
	expect_kind("a text: ");
}

static void files_without_content(void **state)
{
	(void)state;
	expect_kind_of_size("an empty file: ", 0);
	memset(bytes, 0, sizeof(bytes));
	expect_kind_of_size("zeros: ", 1);
	expect_kind("zeros: a copy that did not end, or the image of a CD");
	memset(bytes, 0xff, sizeof(bytes));
	expect_kind("nothing but bytes 0xff: was the disk full when it was copied?");
	bytes[sizeof(bytes) - 1] = 0;
	expect_error(plan_file(1 << 20), KEXEC_BAD_FORMAT, "boot_flag at 0x1fe: expected 0xaa55, found 0xffff");
}

/* --- files of unknown kind --- */

static void file_that_resembles_nothing(void **state)
{
	(void)state;
	make_noise();
	expect_error(plan_file(1 << 20), KEXEC_BAD_FORMAT,
		     "/vmlinuz: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x303");
	expect_error(plan_file(5), KEXEC_TRUNCATED, "/vmlinuz: too short for a kernel: expected at least");
}

/* A kernel counts as a kernel, although its first bytes, MZ, resemble another kind. */
static void kernel_is_no_other_kind(void **state)
{
	(void)state;
	make_image(0x8664, 10, ".linux");
	put(0x1fe, 0xaa55, 2);
	memcpy(bytes + 0x202, "HdrS", 4);
	put(0x206, 0x203, 2);
	put(0x20e, 0x300 - 0x200, 2);
	memcpy(bytes + 0x300, "MEMDISK 6.04", 13);
	expect_error(
		plan_file(1 << 20), KEXEC_UNSUPPORTED,
		"boot protocol at 0x206: expected 0x020c or later, found 0x0203 (\"MEMDISK 6.04\"): memdisk, iPXE's "
		".lkrn and Linux before 3.8 have older ones");
	put(0x20e, 0xffff, 2);
	expect_error(plan_file(1 << 20), KEXEC_UNSUPPORTED, "found 0x0203 (\"no version\"): memdisk");
}

static void kernel_that_is_cut_off(void **state)
{
	(void)state;
	make_image(0x8664, 10, ".text");
	put(0x1fe, 0xaa55, 2);
	memcpy(bytes + 0x202, "HdrS", 4);
	expect_error(plan_file(600), KEXEC_TRUNCATED, "/vmlinuz: too short for a kernel: expected at least");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(magic_numbers),
		cmocka_unit_test(images_for_x86_64),
		cmocka_unit_test(addons_of_unified_images),
		cmocka_unit_test(image_that_is_cut_off),
		cmocka_unit_test(images_for_other_machines),
		cmocka_unit_test(image_of_too_many_sections),
		cmocka_unit_test(zboot_image),
		cmocka_unit_test(image_without_headers),
		cmocka_unit_test(elf_files),
		cmocka_unit_test(multiboot_kernels),
		cmocka_unit_test(texts),
		cmocka_unit_test(text_as_long_as_the_probe),
		cmocka_unit_test(files_without_content),
		cmocka_unit_test(file_that_resembles_nothing),
		cmocka_unit_test(kernel_is_no_other_kind),
		cmocka_unit_test(kernel_that_is_cut_off),
	};

	return run_named_tests(tests);
}
