// SPDX-License-Identifier: BSD-2-Clause
/*
 * Plants variables, as an earlier image could, and starts \kexec.efi with its own path and load options. \plant lists
 * one variable a line: attributes in hexadecimal, vendor, name, and the value as UTF-16 text, or `#` and its bytes. An
 * existing variable is deleted first, because its attributes cannot be changed.
 */
#include "boot/log.h"
#include "boot/text.h"
#include "common/align.h"
#include "common/string.h"
#include "common/vendor.h"
#include "efi/linux/loader_interface.h"
#include "efi/services/firmware.h"
#include "efi/source/stream.h"
#include "efi/source/volume.h"
#include "efi/trust/shim.h"
#include "tests/qemu/lib/chain.h"

#define NAME_UNITS 64
#define VALUE_UNITS 256

static const struct {
	const char *name;
	EFI_GUID guid;
} vendors[] = {
	{ "loader", LOADER_VENDOR_GUID },
	{ "kexec", KEXEC_VENDOR_GUID },
	{ "shim", SHIM_LOCK_GUID },
	{ "global", EFI_GLOBAL_VARIABLE },
	{ "seed", { 0x1ce1e5bc, 0x7ceb, 0x42f2, { 0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b } } },
	{ "overwrite", { 0xe20939be, 0x32d4, 0x41be, { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } } },
};

static EFI_GUID find_vendor(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		if (text_equal(name, text_of_string(vendors[i].name)))
			return vendors[i].guid;
	}
	log_info("plant: no such vendor: %.*s", TEXT_ARGS(name));
	firmware_leave(EFI_NOT_FOUND);
}

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static uint32_t number(struct text digits)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits.length; i++)
		value = value << 4 | nibble(digits.start[i]);
	return value;
}

/* Returns the size of the value. */
static size_t make_value(struct text text, uint16_t ret_value[VALUE_UNITS])
{
	uint8_t *bytes = (uint8_t *)ret_value;
	size_t units = 0;

	if (text.length && text.start[0] == '#') {
		for (size_t i = 1; i + 1 < text.length; i += 2)
			bytes[i / 2] = (uint8_t)(nibble(text.start[i]) << 4 | nibble(text.start[i + 1]));
		return (text.length - 1) / 2;
	}
	text_to_utf16(text, ret_value, VALUE_UNITS);
	while (ret_value[units])
		units++;
	return (units + 1) * sizeof(*ret_value);
}

static void plant(struct text line)
{
	uint32_t attributes = number(text_take_word(&line));
	EFI_GUID vendor = find_vendor(text_take_word(&line));
	struct text name = text_take_word(&line);
	uint16_t value[VALUE_UNITS];
	CHAR16 wide[NAME_UNITS];
	EFI_STATUS status;
	size_t size;

	text_to_utf16(name, wide, NAME_UNITS);
	size = make_value(text_trim(line), value);
	firmware_runtime_services->SetVariable(wide, &vendor, 0, 0, NULL);
	status = firmware_runtime_services->SetVariable(wide, &vendor, attributes, size, value);
	log_info("plant: %.*s 0x%x: %s", TEXT_ARGS(name), attributes, efi_status_name(status));
}

static void plant_all(void)
{
	static char list[8192];
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *own = firmware_protocol_on(firmware_image, &guid);
	struct text text = { .start = list };
	struct volume volume;
	struct stream stream;
	struct text line;

	volume_start(&volume, own->DeviceHandle, VOLUME_OWN);
	if (stream_open(&volume.source, "/plant", &stream) || stream.file.size > sizeof(list) ||
	    stream_read(&stream, (uintptr_t)list, stream.file.size, NULL))
		firmware_leave(EFI_NOT_FOUND);
	text.length = stream.file.size;
	stream_close(&stream);
	volume_close(&volume);
	while (text_take_line(&text, &line))
		plant(line);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	firmware_init(handle, system_table);
	plant_all();
	firmware_leave(firmware_boot_services->StartImage(chain_load(), NULL, NULL));
}
