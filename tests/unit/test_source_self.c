// SPDX-License-Identifier: BSD-2-Clause
/* Our own image, if firmware and linker disagree about its place. */
#include "efi/source/self.h"

#include "boot/sealed_image.h"
#include "tests/unit/support.h"

/* The linker defines it in an image. */
const uint8_t ImageBase[4096];

static void image_that_the_firmware_knows(void **state)
{
	EFI_LOADED_IMAGE image = { .ImageBase = (void *)(uintptr_t)ImageBase, .ImageSize = 123 };
	struct pe_image found = self_image(&image);

	(void)state;
	expect_ok(self_check(&image));
	assert_ptr_equal(found.bytes, ImageBase);
	assert_int_equal(found.size, 123);
	assert_int_equal(found.layout, PE_LOADED);
}

/* The sections are searched at the place of the running code, whatever the firmware reports. */
static void image_that_the_firmware_takes_for_another(void **state)
{
	static const uint8_t other[4096];
	EFI_LOADED_IMAGE image = { .ImageSize = sizeof(other) };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		image.ImageBase = (void *)(i == 0 ? 0 : i == 1 ? (uintptr_t)other : (uintptr_t)ImageBase + 1);
		expect_error(self_check(&image), KEXEC_BAD_FORMAT,
			     "this image: expected the firmware to know it at 0x");
		assert_ptr_equal(self_image(&image).bytes, ImageBase);
	}
}

static void image_as_it_is_built_is_generic(void **state)
{
	(void)state;
	assert_false(self_is_marked());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_that_the_firmware_knows),
		cmocka_unit_test(image_that_the_firmware_takes_for_another),
		cmocka_unit_test(image_as_it_is_built_is_generic),
	};

	return run_named_tests(tests);
}
