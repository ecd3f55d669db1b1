// SPDX-License-Identifier: BSD-2-Clause
/* Recognises files by the magic numbers that their formats define. */
#include "boot/file_kind.h"

#include "boot/file_kind_rules.h"
#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"

/*
 * A file that has `magic` at `offset`. The structure has no pointers, because each would cost the image a relocation.
 * `remedy` is an index of remedies.
 */
struct magic {
	uint16_t offset;
	uint8_t size;
	uint8_t remedy;
	char bytes[9];
	char name[39];
};

static const char *text_of(enum file_remedy remedy)
{
	switch (remedy) {
	case OTHER_MACHINE:
		return "expected one for x86-64";
	case UNPACK:
		return "unpack it first; an initrd stays as it is, and its line is initrd";
	case SWAPPED_LINES:
		return "an initrd's line is initrd: were the two lines swapped?";
	case NEWC:
		return "Linux reads archives that cpio -H newc has made";
	case NAME_A_FILE_IN_IT:
		return "name a file in it; the firmware, or a driver, must be able to read it";
	case OUTSIDE:
		return "the kernel must lie outside of it";
	case NO_DEVICE_TREE:
		return "kernels for x86 need none";
	case UIMAGE:
		return "take the bzImage that it was made of";
	case UNPACK_THE_KERNEL:
		return "unpack the kernel from it";
	case START_IT:
		return "start it from the firmware or the boot menu";
	case DRIVER:
		return "load it by a Driver#### entry of the firmware, or in the shell";
	case VMLINUX:
		return "take arch/x86/boot/bzImage, not vmlinux";
	case MULTIBOOT:
		return "GRUB's multiboot and multiboot2 start it, or its own .efi file";
	case DOWNLOAD:
		return "it may be the error message of a download";
	case COPY_AGAIN:
		return "was the disk full when it was copied?";
	case UNFINISHED:
		return "a copy that did not end, or the image of a CD";
	case FEWER_SECTIONS:
		return "with about 195 sections they would end in its first 8192 bytes";
	case ADDON:
		return "it goes to IMAGE.efi.extra.d, beside a unified image";
	case CUT_OFF:
		return "it is cut off; was the disk full when it was copied?";
	case FETCH:
		return "git lfs pull fetches the file";
	case KERNEL_WANTED:
	default:
		return "is the path right?";
	}
}

#define MAGIC(bytes, offset, name, remedy)                                                                             \
	{                                                                                                              \
		offset, sizeof(bytes) - 1, remedy, bytes, name                                                         \
	}

/* In the order in which they are tried: the most specific magic numbers come first. */
static const struct magic magics[] = {
	MAGIC("\x1f\x8b", 0, "a gzip file", UNPACK),
	MAGIC("\xfd\x37zXZ\0", 0, "an xz file", UNPACK),
	MAGIC("\x28\xb5\x2f\xfd", 0, "a zstd file", UNPACK),
	MAGIC("\x04\x22\x4d\x18", 0, "an lz4 file", UNPACK),
	MAGIC("\x02\x21\x4c\x18", 0, "an lz4 file of the old format", UNPACK),
	MAGIC("BZh", 0, "a bzip2 file", UNPACK),
	MAGIC("\x89LZO\0\r\n\x1a\n", 0, "an lzop file", UNPACK),
	MAGIC("\x5d\0\0", 0, "an lzma file", UNPACK),
	MAGIC("LZIP", 0, "an lzip file", UNPACK),
	MAGIC("ARM\x64", 0x38, "a kernel for ARM64", OTHER_MACHINE),
	MAGIC("RSC\x05", 0x38, "a kernel for RISC-V", OTHER_MACHINE),
	MAGIC("\x18\x28\x6f\x01", 0x24, "a kernel for ARM (zImage)", OTHER_MACHINE),
	MAGIC("070701", 0, "a cpio archive", SWAPPED_LINES),
	MAGIC("070702", 0, "a cpio archive", SWAPPED_LINES),
	MAGIC("070707", 0, "a cpio archive of the old format", NEWC),
	MAGIC("\xc7\x71", 0, "a cpio archive of the old format", NEWC),
	MAGIC("hsqs", 0, "a squashfs file system", NAME_A_FILE_IN_IT),
	MAGIC("XFSB", 0, "an XFS file system", NAME_A_FILE_IN_IT),
	MAGIC("LUKS\xba\xbe", 0, "an encrypted volume (LUKS)", OUTSIDE),
	MAGIC("EFI PART", 512, "a disk image (GPT)", NAME_A_FILE_IN_IT),
	MAGIC("\xe2\xe1\xf5\xe0", 1024, "an EROFS file system", NAME_A_FILE_IN_IT),
	MAGIC("\x53\xef", 1024 + 0x38, "an ext4 file system", NAME_A_FILE_IN_IT),
	MAGIC("FAT12   ", 0x36, "a FAT file system", NAME_A_FILE_IN_IT),
	MAGIC("FAT16   ", 0x36, "a FAT file system", NAME_A_FILE_IN_IT),
	MAGIC("FAT32   ", 0x52, "a FAT file system", NAME_A_FILE_IN_IT),
	MAGIC("NTFS    ", 3, "an NTFS file system", NAME_A_FILE_IN_IT),
	MAGIC("EXFAT   ", 3, "an exFAT file system", NAME_A_FILE_IN_IT),
	MAGIC("QFI\xfb", 0, "a qcow2 disk image", NAME_A_FILE_IN_IT),
	MAGIC("KDMV", 0, "a VMDK disk image", NAME_A_FILE_IN_IT),
	MAGIC("vhdxfile", 0, "a VHDX disk image", NAME_A_FILE_IN_IT),
	MAGIC("\xd0\x0d\xfe\xed", 0, "a device tree", NO_DEVICE_TREE),
	MAGIC("\x27\x05\x19\x56", 0, "a U-Boot image (uImage)", UIMAGE),
	MAGIC("ANDROID!", 0, "an Android boot image", UNPACK_THE_KERNEL),
	MAGIC("!<arch>\n", 0, "a Debian package, or another ar archive", UNPACK_THE_KERNEL),
	MAGIC("\xed\xab\xee\xdb", 0, "an RPM package", UNPACK_THE_KERNEL),
	MAGIC("PK\x03\x04", 0, "a zip archive", UNPACK_THE_KERNEL),
	MAGIC("7z\xbc\xaf\x27\x1c", 0, "a 7z archive", UNPACK_THE_KERNEL),
	MAGIC("Rar!\x1a\x07", 0, "a RAR archive", UNPACK_THE_KERNEL),
	MAGIC("MSWIM\0\0\0", 0, "a Windows image (WIM)", UNPACK_THE_KERNEL),
	MAGIC("ustar", 257, "a tar archive", UNPACK_THE_KERNEL),
	MAGIC("\xff\xfe", 0, "a text in UTF-16", KERNEL_WANTED),
	MAGIC("\xfe\xff", 0, "a text in UTF-16", KERNEL_WANTED),
	MAGIC("\xea\x05\0\xc0\x07", 0, "a PXE boot program for BIOS", KERNEL_WANTED),
	MAGIC("\x55\xaa", 0x1fe, "a boot sector or disk image", NAME_A_FILE_IN_IT),
};

bool probe_has(const struct kernel_probe *probe, size_t offset, const void *bytes, size_t size)
{
	return offset <= probe->size && size <= probe->size - offset && memcmp(probe->bytes + offset, bytes, size) == 0;
}

uint32_t probe_number(const struct kernel_probe *probe, size_t offset, size_t size)
{
	uint32_t value = 0;

	if (offset <= probe->size && size <= probe->size - offset)
		memcpy(&value, probe->bytes + offset, size);
	return value;
}

bool file_kind_set(struct file_kind *ret_kind, const char *name, enum file_remedy remedy)
{
	*ret_kind = (struct file_kind){ .name = name, .remedy = text_of(remedy) };
	return true;
}

static bool find_magic(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		if (probe_has(probe, magics[i].offset, magics[i].bytes, magics[i].size))
			return file_kind_set(ret_kind, magics[i].name, magics[i].remedy);
	}
	return false;
}

/* --- texts, and files without content --- */

#define QUOTE_MAX 40u

/* git-lfs, docs/spec.md */
#define GIT_LFS "version https://git-lfs.github.com/spec/"

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* UTF-8 or any other encoding that keeps ASCII. */
static bool is_text(const struct kernel_probe *probe)
{
	for (size_t i = 0; i < probe->size; i++) {
		if ((probe->bytes[i] < ' ' && !is_blank(probe->bytes[i]) && probe->bytes[i] != '\033') ||
		    probe->bytes[i] == 0x7f)
			return false;
	}
	return probe->size != 0;
}

static struct text quote(const struct kernel_probe *probe, size_t start)
{
	struct text text = { .start = (const char *)probe->bytes + start };

	while (text.length < QUOTE_MAX && start + text.length < probe->size && text.start[text.length] >= ' ' &&
	       text.start[text.length] <= '~')
		text.length++;
	return text;
}

static bool find_text(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	size_t start = probe_has(probe, 0, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (!is_text(probe))
		return false;
	while (start < probe->size && is_blank(probe->bytes[start]))
		start++;
	if (probe_has(probe, start, "<", 1))
		file_kind_set(ret_kind, "a web page or XML", DOWNLOAD);
	else if (probe_has(probe, start, "{", 1))
		file_kind_set(ret_kind, "a text in JSON", DOWNLOAD);
	else if (probe_has(probe, start, GIT_LFS, sizeof(GIT_LFS) - 1))
		file_kind_set(ret_kind, "a pointer of Git LFS", FETCH);
	else if (probe_has(probe, start, "#!", 2))
		file_kind_set(ret_kind, "a script", KERNEL_WANTED);
	else
		file_kind_set(ret_kind, "a text", KERNEL_WANTED);
	ret_kind->quote = quote(probe, start);
	return true;
}

/* Erased flash is full of 0xff. */
static bool find_nothing(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	uint8_t byte = probe->size ? probe->bytes[0] : 0;

	if (probe->file_size == 0)
		return file_kind_set(ret_kind, "an empty file", COPY_AGAIN);
	for (size_t i = 0; i < probe->size; i++) {
		if (probe->bytes[i] != byte)
			return false;
	}
	if (byte == 0)
		return file_kind_set(ret_kind, "zeros", UNFINISHED);
	return byte == 0xff && file_kind_set(ret_kind, "nothing but bytes 0xff", COPY_AGAIN);
}

/* Whether it has the magic of a setup header (boot.rst): then it is a truncated kernel. */
static bool is_piece_of_kernel(const struct kernel_probe *probe)
{
	return probe_has(probe, 0x202, "HdrS", 4);
}

bool file_kind_find(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	if (is_piece_of_kernel(probe))
		return false;
	return find_nothing(probe, ret_kind) || file_kind_find_pe(probe, ret_kind) ||
	       file_kind_find_elf(probe, ret_kind) || file_kind_find_multiboot(probe, ret_kind) ||
	       find_magic(probe, ret_kind) || find_text(probe, ret_kind);
}

enum kexec_status file_kind_refuse(const char *name, const struct file_kind *kind)
{
	if (kind->quote.length)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a kernel (bzImage), found %s (\"%.*s\"): %s", name,
				 kind->name, TEXT_ARGS(kind->quote), kind->remedy);
	return log_error(KEXEC_BAD_FORMAT, "%s: expected a kernel (bzImage), found %s: %s", name, kind->name,
			 kind->remedy);
}
