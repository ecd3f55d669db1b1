// SPDX-License-Identifier: BSD-2-Clause
/* Recognises files by the magic numbers that their formats define. */
#include "boot/file_kind.h"

#include "boot/log.h"
#include "boot/pe.h"
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

enum remedy {
	KERNEL_WANTED,
	OTHER_MACHINE,
	UNPACK,
	SWAPPED_LINES,
	NEWC,
	NAME_A_FILE_IN_IT,
	OUTSIDE,
	NO_DEVICE_TREE,
	UIMAGE,
	UNPACK_THE_KERNEL,
	START_IT,
	DRIVER,
	VMLINUX,
	MULTIBOOT,
	DOWNLOAD,
	COPY_AGAIN,
	UNFINISHED,
	FEWER_SECTIONS,
	ADDON,
	FETCH,
	CUT_OFF,
};

static const char *text_of(enum remedy remedy)
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

static bool has_bytes(const struct kernel_probe *probe, size_t offset, const void *bytes, size_t size)
{
	return offset <= probe->size && size <= probe->size - offset && memcmp(probe->bytes + offset, bytes, size) == 0;
}

/* Reads a number, little endian. Returns 0 if it does not lie within the probe. */
static uint32_t read_number(const struct kernel_probe *probe, size_t offset, size_t size)
{
	uint32_t value = 0;

	if (offset <= probe->size && size <= probe->size - offset)
		memcpy(&value, probe->bytes + offset, size);
	return value;
}

static bool set(struct file_kind *ret_kind, const char *name, enum remedy remedy)
{
	*ret_kind = (struct file_kind){ .name = name, .remedy = text_of(remedy) };
	return true;
}

static bool find_magic(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		if (has_bytes(probe, magics[i].offset, magics[i].bytes, magics[i].size))
			return set(ret_kind, magics[i].name, magics[i].remedy);
	}
	return false;
}

/* --- PE images --- */

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
		return set(ret_kind, "an EFI application", is_cut ? CUT_OFF : START_IT);
	case SUBSYSTEM_EFI_BOOT_DRIVER:
	case SUBSYSTEM_EFI_RUNTIME_DRIVER:
		return set(ret_kind, "an EFI driver", DRIVER);
	default:
		return set(ret_kind, "a Windows program", KERNEL_WANTED);
	}
}

/* Whether it is a PE image whose section table ends behind the probe. */
static bool has_long_headers(const struct kernel_probe *probe)
{
	size_t pe = read_number(probe, PE_OFFSET, 4);
	uint64_t table_end = pe + COFF_SIZE + read_number(probe, pe + COFF_OPTIONAL_HEADER_SIZE, 2) +
			     (uint64_t)read_number(probe, pe + COFF_SECTION_COUNT, 2) * SECTION_HEADER_SIZE;

	return has_bytes(probe, pe, "PE\0\0", 4) && table_end > probe->size && probe->size < probe->file_size;
}

/* In real images the PE header is nearer to the beginning than this. */
#define PE_OFFSET_USUAL_MAX 0x1000u

/*
 * Whether the file ends within the headers of a PE image. A DOS program may have any number in place of the header's
 * offset.
 */
static bool has_headers_cut_off(const struct kernel_probe *probe)
{
	size_t pe = read_number(probe, PE_OFFSET, 4);

	if (probe->file_size != probe->size)
		return false;
	if (probe->size < PE_OFFSET + 4)
		return true;
	return has_bytes(probe, pe, "PE\0\0", 4) ||
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
static bool find_image(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	const struct pe_image image = { .bytes = probe->bytes, .size = probe->size, .layout = PE_FILE };
	uint16_t subsystem;
	uint16_t machine;

	if (!has_bytes(probe, 0, "MZ", 2))
		return false;
	if (has_bytes(probe, 4, "zimg", 4))
		return set(ret_kind, "an EFI zboot image", OTHER_MACHINE);
	if (!pe_machine(&image, &machine, &subsystem)) {
		if (has_long_headers(probe))
			return set(ret_kind, "a PE image whose headers are too long", FEWER_SECTIONS);
		if (has_headers_cut_off(probe))
			return set(ret_kind, "an image that is cut off", COPY_AGAIN);
		return set(ret_kind, "a DOS program", KERNEL_WANTED);
	}
	if (machine != MACHINE_X86_64)
		return set(ret_kind, name_of_foreign_image(machine), OTHER_MACHINE);
	if (is_addon(&image))
		return set(ret_kind, "an addon, without a section .linux", ADDON);
	return find_x86_image(subsystem, is_cut_off(probe, &image), ret_kind);
}

/* --- ELF files and multiboot kernels --- */

/* System V ABI, "ELF Header" */
enum {
	ELF_CLASS = 4,
	ELF_CLASS_64 = 2,
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
			sum += read_number(probe, offset + 4 * i, 4);
		if (read_number(probe, offset, 4) == magic && sum == 0)
			return true;
	}
	return false;
}

static bool find_multiboot(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	if (is_multiboot(probe, MULTIBOOT_2_MAGIC, 8, 4))
		return set(ret_kind, "a multiboot 2 kernel, such as Xen", MULTIBOOT);
	if (is_multiboot(probe, MULTIBOOT_1_MAGIC, 4, 3))
		return set(ret_kind, "a multiboot kernel, such as Xen", MULTIBOOT);
	return false;
}

static bool find_elf(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	uint32_t machine = read_number(probe, ELF_MACHINE, 2);

	if (!has_bytes(probe, 0, "\177ELF", 4))
		return false;
	if (find_multiboot(probe, ret_kind))
		return true;
	if (read_number(probe, ELF_BYTE_ORDER, 1) != ELF_LITTLE_ENDIAN ||
	    (machine != ELF_MACHINE_X86_64 && machine != ELF_MACHINE_386))
		return set(ret_kind, "an ELF file for another machine", OTHER_MACHINE);
	if (read_number(probe, ELF_TYPE, 2) == ELF_TYPE_CORE)
		return set(ret_kind, "a core dump", KERNEL_WANTED);
	if (machine == ELF_MACHINE_386)
		return set(ret_kind, "an ELF file for 32-bit x86", OTHER_MACHINE);
	return set(ret_kind, "an ELF file", VMLINUX);
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
	size_t start = has_bytes(probe, 0, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (!is_text(probe))
		return false;
	while (start < probe->size && is_blank(probe->bytes[start]))
		start++;
	if (has_bytes(probe, start, "<", 1))
		set(ret_kind, "a web page or XML", DOWNLOAD);
	else if (has_bytes(probe, start, "{", 1))
		set(ret_kind, "a text in JSON", DOWNLOAD);
	else if (has_bytes(probe, start, GIT_LFS, sizeof(GIT_LFS) - 1))
		set(ret_kind, "a pointer of Git LFS", FETCH);
	else if (has_bytes(probe, start, "#!", 2))
		set(ret_kind, "a script", KERNEL_WANTED);
	else
		set(ret_kind, "a text", KERNEL_WANTED);
	ret_kind->quote = quote(probe, start);
	return true;
}

/* Erased flash is full of 0xff. */
static bool find_nothing(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	uint8_t byte = probe->size ? probe->bytes[0] : 0;

	if (probe->file_size == 0)
		return set(ret_kind, "an empty file", COPY_AGAIN);
	for (size_t i = 0; i < probe->size; i++) {
		if (probe->bytes[i] != byte)
			return false;
	}
	if (byte == 0)
		return set(ret_kind, "zeros", UNFINISHED);
	return byte == 0xff && set(ret_kind, "nothing but bytes 0xff", COPY_AGAIN);
}

/* Whether it has the magic of a setup header (boot.rst): then it is a truncated kernel. */
static bool is_piece_of_kernel(const struct kernel_probe *probe)
{
	return has_bytes(probe, 0x202, "HdrS", 4);
}

bool file_kind_find(const struct kernel_probe *probe, struct file_kind *ret_kind)
{
	if (is_piece_of_kernel(probe))
		return false;
	return find_nothing(probe, ret_kind) || find_image(probe, ret_kind) || find_elf(probe, ret_kind) ||
	       find_multiboot(probe, ret_kind) || find_magic(probe, ret_kind) || find_text(probe, ret_kind);
}

enum kexec_status file_kind_refuse(const char *name, const struct file_kind *kind)
{
	if (kind->quote.length)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a kernel (bzImage), found %s (\"%.*s\"): %s", name,
				 kind->name, TEXT_ARGS(kind->quote), kind->remedy);
	return log_error(KEXEC_BAD_FORMAT, "%s: expected a kernel (bzImage), found %s: %s", name, kind->name,
			 kind->remedy);
}
