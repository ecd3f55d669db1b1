// SPDX-License-Identifier: BSD-2-Clause
/* PE images that are no kernels: the message names the kind of image. */
#include "boot/file_kind_rules.h"

#include "tests/unit/file_probe.h"
#include "tests/unit/support.h"

static void images_for_x86_64(void **state)
{
	(void)state;
	probe_make_image(0x8664, 10, ".text");
	probe_expect_kind("an EFI application: start it from the firmware or the boot menu");
	probe_make_image(0x8664, 11, ".text");
	probe_expect_kind("an EFI driver: ");
	probe_make_image(0x8664, 12, ".text");
	probe_expect_kind("an EFI driver: ");
	probe_make_image(0x8664, 3, ".text");
	probe_expect_kind("a Windows program: ");
	/* Names that only begin alike are different. */
	probe_make_image(0x8664, 10, ".linuxes");
	probe_expect_kind("an EFI application: ");
}

static void addons_of_unified_images(void **state)
{
	static const char *const names[] = { ".cmdline", ".initrd", ".ucode", ".dtbauto" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		probe_make_image(0x8664, 10, names[i]);
		probe_expect_kind(
			"an addon, without a section .linux: it goes to IMAGE.efi.extra.d, beside a unified image");
		/* Xen has a section with such a name. */
		probe_put(0x86, 2, 2);
		memcpy(probe_bytes + 0x98 + 0xf0 + 40, ".kernel", 8);
		probe_expect_kind("an EFI application: start it");
	}
	probe_make_image(0xaa64, 10, ".cmdline");
	probe_expect_kind("a PE image for ARM64: ");
}

/* The file has a section of 0x100 bytes at 0x200, and was read completely. */
static void image_that_is_cut_off(void **state)
{
	(void)state;
	probe_make_image(0x8664, 10, ".text");
	probe_put(0x98 + 0xf0 + 16, 0x100, 4);
	probe_put(0x98 + 0xf0 + 20, 0x200, 4);
	probe_expect_kind_of_size("an EFI application: start it", 0x300);
	probe_expect_kind_of_size("an EFI application: it is cut off; was the disk full when it was copied?", 0x2ff);
	probe_put(0x98 + 0xf0 + 20, 0xffffffff, 4);
	probe_expect_kind_of_size("an EFI application: it is cut off", KERNEL_PROBE_SIZE);
	probe_expect_kind_of_size("an EFI application: start it", KERNEL_PROBE_SIZE + 1);
	probe_put(0x98 + 0xf0 + 16, 0, 4);
	probe_expect_kind_of_size("an EFI application: start it", 0x300);
	/* The end is within the headers. */
	for (uint64_t size = 2; size < 0x98; size++)
		probe_expect_kind_of_size("an image that is cut off: was the disk full when it was copied?", size);
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
		probe_make_image(images[i].machine, 10, ".text");
		probe_expect_kind(images[i].kind);
	}
}

/*
 * In a longer file, the section table ends behind the bytes that were read. In a shorter file, the headers are cut off.
 */
static void image_of_too_many_sections(void **state)
{
	(void)state;
	probe_make_image(0x8664, 10, ".linux");
	probe_put(0x86, 250, 2);
	probe_expect_kind_of_size("a PE image whose headers are too long: with about 195 sections",
				  KERNEL_PROBE_SIZE + 1);
	probe_expect_kind_of_size("an image that is cut off: ", KERNEL_PROBE_SIZE);
}

/* Linux, drivers/firmware/efi/libstub/zboot-header.S. */
static void zboot_image(void **state)
{
	(void)state;
	probe_make_image(0xaa64, 10, ".text");
	memcpy(probe_bytes + 4, "zimg", 4);
	memcpy(probe_bytes + 0x18, "gzip", 5);
	probe_expect_kind("an EFI zboot image: expected one for x86-64");
}

static void image_without_headers(void **state)
{
	(void)state;
	probe_make_image(0x8664, 10, ".linux");
	probe_put(0x3c, KERNEL_PROBE_SIZE - 23, 4);
	probe_expect_kind("a DOS program: ");
	probe_put(0x3c, UINT32_MAX, 4);
	probe_expect_kind("a DOS program: ");
	/* The optional header ends before the subsystem. */
	probe_make_image(0x8664, 10, ".linux");
	probe_put(0x94, 69, 2);
	probe_expect_kind("a DOS program: ");
	/* The field has no meaning. */
	probe_put(0x3c, 0x90909090, 4);
	probe_expect_kind_of_size("a DOS program: ", 0x300);
	probe_put(0x3c, 0x3f, 4);
	probe_expect_kind_of_size("a DOS program: ", 0x300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_for_x86_64),	      cmocka_unit_test(addons_of_unified_images),
		cmocka_unit_test(image_that_is_cut_off),      cmocka_unit_test(images_for_other_machines),
		cmocka_unit_test(image_of_too_many_sections), cmocka_unit_test(zboot_image),
		cmocka_unit_test(image_without_headers),
	};

	return run_named_tests(tests);
}
