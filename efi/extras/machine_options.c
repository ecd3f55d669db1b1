// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options for the kernel that the machine's owner has put into its SMBIOS tables, as systemd-stub takes them
 * (systemd-stub(7); systemd.io/SMBIOS_TYPE11). They are measured.
 */
#include "boot/log.h"
#include "boot/smbios.h"
#include "boot/unified_options.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/extras/extras.h"
#include "efi/services/cpu_mode.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"

/* UEFI specification 4.6, "Industry Standard Configuration Tables" */
#define SMBIOS3_GUID                                                                                                   \
	{                                                                                                              \
		0xf2fd1544, 0x9794, 0x4a2c,                                                                            \
		{                                                                                                      \
			0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94                                                 \
		}                                                                                                      \
	}
#define SMBIOS_GUID                                                                                                    \
	{                                                                                                              \
		0xeb9d2d31, 0x2d88, 0x11d3,                                                                            \
		{                                                                                                      \
			0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d                                                 \
		}                                                                                                      \
	}

#define EXTRA_OPTIONS "io.systemd.stub.kernel-cmdline-extra="

static bool find_table(struct smbios_table *ret_table)
{
	static const EFI_GUID guids[] = { SMBIOS3_GUID, SMBIOS_GUID };

	for (size_t i = 0; i < ARRAY_SIZE(guids); i++) {
		const void *entry = firmware_config_table(&guids[i]);

		if (entry && smbios_entry_point(entry, memory_readable_size((uintptr_t)entry), ret_table))
			return true;
	}
	return false;
}

static bool find_options(struct text *ret_options)
{
	struct smbios_table table;
	uint64_t size;

	if (!find_table(&table) || !table.addr)
		return false;
	size = memory_readable_size(table.addr);
	if (size > table.size)
		size = table.size;
	if (size > SMBIOS_TABLE_SIZE_MAX)
		size = SMBIOS_TABLE_SIZE_MAX;
	return smbios_find_string(phys_to_ptr(table.addr), size, TEXT(EXTRA_OPTIONS), ret_options);
}

/* In a confidential guest the tables are the host's, and the guest does not trust the host. */
static bool is_confidential_guest(void)
{
	return cpu_is_tdx_guest() || cpu_memory_is_encrypted();
}

enum kexec_status extras_add_machine_options(struct extras *extras)
{
	enum kexec_status status;
	struct text options;
	void *memory;

	if (extras->policy != EXTRAS_ALL || is_confidential_guest() || !find_options(&options))
		return KEXEC_OK;
	if (!text_is_utf8(options)) {
		log_warning("SMBIOS: " EXTRA_OPTIONS " is not used: expected UTF-8, found other bytes");
		return KEXEC_OK;
	}
	status = extras_alloc(extras, options.length + 1, &memory);
	if (status)
		return status;
	memcpy(memory, options.start, options.length);
	unified_make_line(memory, options.length);
	extras->machine_options = text_trim((struct text){ .start = memory, .length = options.length });
	if (extras->machine_options.length)
		log_info("options of the machine's SMBIOS: \"%.*s\"",
			 TEXT_ARGS(text_quote(extras->machine_options, 120)));
	return KEXEC_OK;
}
