// SPDX-License-Identifier: BSD-2-Clause
/* Hands over the event log (TCG EFI Protocol Specification 6.4 and 7; UEFI specification 38.2, 38.4). */
#include "efi/linux/event_log.h"

#include "boot/log.h"
#include "boot/memmap.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/measure/tpm.h"
#include "efi/services/firmware.h"
#include "efi/services/memory_map.h"

/* struct linux_efi_tpm_eventlog, include/linux/efi.h; the log is behind it. */
struct __attribute__((packed)) event_log {
	uint32_t size;
	uint32_t final_events_preboot_size;
	uint8_t version; /* enum tcg_log_format */
	uint8_t log[];
};

/* The kernel reserves the size of its padded structure and of the log. */
#define TABLE_HEADER_SIZE 12

_Static_assert(offsetof(struct event_log, log) == 9, "struct linux_efi_tpm_eventlog");

/* The firmware's log and table. */
struct source {
	struct tpm_log log;
	const uint8_t *final_events; /* NULL: no such table */
};

/* LINUX_EFI_TPM_EVENT_LOG_GUID */
static EFI_GUID table_guid = { 0xb7799cb0, 0xeca2, 0x4943, { 0x96, 0x67, 0x1f, 0xae, 0x07, 0xb7, 0x47, 0xfa } };
static struct event_log *installed;
static void *installed_before;

static bool find_source(struct source *ret_source)
{
	EFI_GUID tcg2_final = { 0x1e2ed096, 0x30e2, 0x4254, { 0xbd, 0x89, 0x86, 0x3b, 0xbe, 0xf8, 0x23, 0x25 } };
	EFI_GUID cc_final = { 0xdd4a4648, 0x2de7, 0x4665, { 0x96, 0x4d, 0x21, 0xd9, 0xef, 0x5f, 0xb4, 0x46 } };
	struct measurement_protocol *protocol;
	bool is_tpm;

	protocol = tpm_protocol(&is_tpm);
	if (!protocol || !tpm_log_find(protocol, is_tpm, &ret_source->log))
		return false;
	if (ret_source->log.truncated)
		log_warning("event log: the firmware had no room for all events");
	ret_source->final_events = NULL;
	if (ret_source->log.format == TCG_LOG_FORMAT_2)
		ret_source->final_events = firmware_config_table(is_tpm ? &tcg2_final : &cc_final);
	return true;
}

/* An empty log is handed over as well, because its format and the final events are useful. */
static uint64_t measure_log(const struct tpm_log *found, const struct tcg_log *log)
{
	uint64_t size;
	bool whole;

	if (!found->last_addr)
		return 0;
	size = tcg_log_size(log, found->last_addr - found->addr, &whole);
	if (!whole)
		log_warning("event log: expected the last event at 0x%lx, found no event at 0x%lx", found->last_addr,
			    found->addr + size);
	return size;
}

/* The readable size of a log at `addr`. */
static uint64_t log_room(const struct memory_map *map, uint64_t addr)
{
	uint64_t room = memmap_readable_size(map, addr);

	return room < TPM_LOG_SIZE_MAX ? room : TPM_LOG_SIZE_MAX;
}

static void install(const struct source *source, const struct memory_map *map)
{
	struct tcg_log log = { .format = source->log.format, .bytes = phys_to_ptr(source->log.addr) };
	struct event_log *table;
	EFI_STATUS status;
	uint64_t size;

	log.room = log_room(map, source->log.addr);
	size = measure_log(&source->log, &log);
	status = firmware_boot_services->AllocatePool(EfiACPIReclaimMemory, TABLE_HEADER_SIZE + size, (void **)&table);
	if (EFI_ERROR(status)) {
		log_warning("event log: no memory for 0x%lx bytes: %s", size, efi_status_name(status));
		return;
	}
	*table = (struct event_log){ .size = (uint32_t)size, .version = (uint8_t)source->log.format };
	if (source->final_events) {
		uint64_t room = log_room(map, (uintptr_t)source->final_events);

		table->final_events_preboot_size =
			(uint32_t)tcg_log_final_events_size(&log, source->final_events, room);
	}
	memcpy(table->log, log.bytes, size);

	installed_before = firmware_config_table(&table_guid);
	status = firmware_boot_services->InstallConfigurationTable(&table_guid, table);
	if (EFI_ERROR(status)) {
		log_warning("event log: cannot install it: %s", efi_status_name(status));
		firmware_boot_services->FreePool(table);
		return;
	}
	installed = table;
	log_verbose("event log: %u bytes, %u of the final events among them", table->size,
		    table->final_events_preboot_size);
}

void event_log_install(void)
{
	struct source source;
	struct memory_map map;

	if (!find_source(&source) || !memory_map_read_or_warn(&map))
		return;
	install(&source, &map);
	memory_map_free(&map);
}

void event_log_uninstall(void)
{
	if (!installed)
		return;
	/* If the firmware refuses to remove it, do not free it. */
	if (!EFI_ERROR(firmware_boot_services->InstallConfigurationTable(&table_guid, installed_before)))
		firmware_boot_services->FreePool(installed);
	installed = NULL;
}
