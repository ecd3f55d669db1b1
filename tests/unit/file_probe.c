// SPDX-License-Identifier: BSD-2-Clause
/* Makes the first bytes of files, and judges them. */
#include "tests/unit/file_probe.h"

#include "common/format.h"
#include "tests/unit/support.h"

uint8_t probe_bytes[KERNEL_PROBE_SIZE];

void probe_make_noise(void)
{
	memset(probe_bytes, 0x03, sizeof(probe_bytes));
}

void probe_put(size_t offset, uint64_t value, size_t size)
{
	memcpy(probe_bytes + offset, &value, size);
}

enum kexec_status probe_plan(uint64_t file_size)
{
	const struct kernel_probe probe = {
		.name = "/vmlinuz",
		.bytes = probe_bytes,
		.size = file_size < sizeof(probe_bytes) ? file_size : sizeof(probe_bytes),
		.file_size = file_size,
	};
	struct kernel_plan plan;

	return kernel_plan_file(&probe, &plan);
}

void probe_expect_kind_of_size(const char *kind, uint64_t file_size)
{
	char message[256];

	format_text(message, sizeof(message), "/vmlinuz: expected a kernel (bzImage), found %s", kind);
	expect_error(probe_plan(file_size), KEXEC_BAD_FORMAT, message);
}

void probe_expect_kind(const char *kind)
{
	probe_expect_kind_of_size(kind, 1 << 20);
}

void probe_make_image(uint16_t machine, uint16_t subsystem, const char *section)
{
	probe_make_noise();
	memcpy(probe_bytes, "MZ", 2);
	probe_put(4, 0, 4);
	probe_put(0x3c, 0x80, 4);
	memcpy(probe_bytes + 0x80, "PE\0\0", 4);
	probe_put(0x84, machine, 2);
	probe_put(0x86, 1, 2);
	probe_put(0x94, 0xf0, 2);
	probe_put(0x98, 0x20b, 2);
	probe_put(0x98 + 68, subsystem, 2);
	memset(probe_bytes + 0x98 + 0xf0, 0, 8);
	memcpy(probe_bytes + 0x98 + 0xf0, section, strlen(section));
}
