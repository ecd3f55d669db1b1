// SPDX-License-Identifier: BSD-2-Clause
/* Learns the address and the mark of our image from the linker, not from the firmware. */
#include "efi/source/self.h"

#include "boot/log.h"
#include "boot/sealed_image.h"

/* The first byte of the image's headers (efi/kexec.lds). Hidden, or its address would be read from data. */
extern const uint8_t ImageBase[] __attribute__((visibility("hidden")));

struct mark {
	char text[SEAL_MARK_SIZE];
};

/* In a section of its own, where tools/seal finds it. The code does not need to look for the section. */
static const struct mark mark __attribute__((section(SEAL_MARK_SECTION), used)) = { SEAL_MARK_GENERIC };

struct pe_image self_image(const EFI_LOADED_IMAGE *image)
{
	return (struct pe_image){ .bytes = ImageBase, .size = image->ImageSize, .layout = PE_LOADED };
}

enum kexec_status self_check(const EFI_LOADED_IMAGE *image)
{
	if (image->ImageBase == ImageBase)
		return KEXEC_OK;
	return log_error(KEXEC_BAD_FORMAT,
			 "this image: expected the firmware to know it at 0x%lx, where it runs, found 0x%lx",
			 (uintptr_t)ImageBase, (uintptr_t)image->ImageBase);
}

bool self_is_marked(void)
{
	/* Volatile, because tools/seal changes it after the compiler has seen it. */
	const volatile struct mark *place = &mark;
	struct mark found = *place;

	return seal_mark_demands(found.text);
}
