// SPDX-License-Identifier: BSD-2-Clause
/* Files that are no kernels: the message names the kind of file. */
#include "boot/file_kind.h"

#include "tests/unit/file_probe.h"
#include "tests/unit/support.h"

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
		probe_make_noise();
		memcpy(probe_bytes + files[i].offset, files[i].magic, files[i].size);
		probe_expect_kind(files[i].kind);
		/* Without its last byte it is another kind, and nothing is read behind the end. */
		probe_bytes[files[i].offset + files[i].size - 1] ^= 0xff;
		assert_int_not_equal(probe_plan(files[i].offset + files[i].size - 1), KEXEC_OK);
		log_clear();
	}
}

/* --- texts, and files without content --- */

static void expect_text(const char *text, const char *kind)
{
	probe_make_noise();
	memcpy(probe_bytes, text, strlen(text));
	probe_expect_kind_of_size(kind, strlen(text));
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
	memset(probe_bytes, 'a', sizeof(probe_bytes));
	probe_expect_kind("a text (\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\")");
	memset(probe_bytes, ' ', sizeof(probe_bytes));
	probe_expect_kind("a text: ");
}

static void files_without_content(void **state)
{
	(void)state;
	probe_expect_kind_of_size("an empty file: ", 0);
	memset(probe_bytes, 0, sizeof(probe_bytes));
	probe_expect_kind_of_size("zeros: ", 1);
	probe_expect_kind("zeros: a copy that did not end, or the image of a CD");
	memset(probe_bytes, 0xff, sizeof(probe_bytes));
	probe_expect_kind("nothing but bytes 0xff: was the disk full when it was copied?");
	probe_bytes[sizeof(probe_bytes) - 1] = 0;
	expect_error(probe_plan(1 << 20), KEXEC_BAD_FORMAT, "boot_flag at 0x1fe: expected 0xaa55, found 0xffff");
}

/* --- files of unknown kind --- */

static void file_that_resembles_nothing(void **state)
{
	(void)state;
	probe_make_noise();
	expect_error(probe_plan(1 << 20), KEXEC_BAD_FORMAT,
		     "/vmlinuz: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x303");
	expect_error(probe_plan(5), KEXEC_TRUNCATED, "/vmlinuz: too short for a kernel: expected at least");
}

/* A kernel counts as a kernel, although its first probe_bytes, MZ, resemble another kind. */
static void kernel_is_no_other_kind(void **state)
{
	(void)state;
	probe_make_image(0x8664, 10, ".linux");
	probe_put(0x1fe, 0xaa55, 2);
	memcpy(probe_bytes + 0x202, "HdrS", 4);
	probe_put(0x206, 0x203, 2);
	probe_put(0x20e, 0x300 - 0x200, 2);
	memcpy(probe_bytes + 0x300, "MEMDISK 6.04", 13);
	expect_error(
		probe_plan(1 << 20), KEXEC_UNSUPPORTED,
		"boot protocol at 0x206: expected 0x020c or later, found 0x0203 (\"MEMDISK 6.04\"): memdisk, iPXE's "
		".lkrn and Linux before 3.8 have older ones");
	probe_put(0x20e, 0xffff, 2);
	expect_error(probe_plan(1 << 20), KEXEC_UNSUPPORTED, "found 0x0203 (\"no version\"): memdisk");
}

static void kernel_that_is_cut_off(void **state)
{
	(void)state;
	probe_make_image(0x8664, 10, ".text");
	probe_put(0x1fe, 0xaa55, 2);
	memcpy(probe_bytes + 0x202, "HdrS", 4);
	expect_error(probe_plan(600), KEXEC_TRUNCATED, "/vmlinuz: too short for a kernel: expected at least");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(magic_numbers),
		cmocka_unit_test(texts),
		cmocka_unit_test(text_as_long_as_the_probe),
		cmocka_unit_test(files_without_content),
		cmocka_unit_test(file_that_resembles_nothing),
		cmocka_unit_test(kernel_is_no_other_kind),
		cmocka_unit_test(kernel_that_is_cut_off),
	};

	return run_named_tests(tests);
}
