// SPDX-License-Identifier: BSD-2-Clause
/* Collects facts about the firmware. */
#include "efi/linux/platform.h"

#include "efi/linux/graphics.h"
#include "efi/services/firmware.h"
#include "efi/trust/secureboot.h"

static uint64_t find_acpi_rsdp(void)
{
	EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;
	EFI_GUID acpi_10 = ACPI_TABLE_GUID;
	void *table = firmware_config_table(&acpi_20);

	if (!table)
		table = firmware_config_table(&acpi_10);
	return (uintptr_t)table;
}

void platform_collect(struct platform *ret_platform, struct mapped_range *ret_framebuffer)
{
	*ret_platform = (struct platform){
		.acpi_rsdp_addr = find_acpi_rsdp(),
		.efi_system_table_addr = (uintptr_t)firmware_system_table,
		.secure_boot = secure_boot_mode(),
	};
	graphics_collect(ret_platform, ret_framebuffer);
}
