// SPDX-License-Identifier: BSD-2-Clause
/* Starts \app.efi once for each run of \difficult.conf, and exits with the last run's status. */
#include "tests/firmware/difficult.h"

#include "boot/imagepath.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"

#define CONF_SIZE_MAX 8192
#define LINE_SIZE 400

#define REVISION_2_3_1 ((2u << 16) | 31)
#define CR4_LA57 (1u << 12)
#define TABLE_PRESENT_AND_WRITABLE 3u

/* Intel SDM volume 3, 4.5 */
#define CR0_WP (1ull << 16)
#define EFER 0xc0000080u
#define EFER_NXE (1u << 11)
#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_LARGE (1ull << 7)
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDR 0x000ffffffffff000ull
#define ENTRIES (PAGE_SIZE / sizeof(uint64_t))

/* The limit of a sweep that would not end. */
#define SWEEP_MAX 1000

static SIMPLE_TEXT_OUTPUT_INTERFACE *console;
static EFI_HANDLE volume_device;

void say(const char *format, ...)
{
	CHAR16 wide[LINE_SIZE];
	char line[LINE_SIZE];
	va_list args;
	size_t count = format_text(line, sizeof(line), "difficult: ");

	va_start(args, format);
	count += format_text_va(line + count, sizeof(line) - count - 2, format, args);
	va_end(args);
	line[count++] = '\r';
	line[count++] = '\n';
	for (size_t i = 0; i < count; i++)
		wide[i] = (CHAR16)line[i];
	wide[count] = 0;
	console->OutputString(console, wide);
}

static EFI_STATUS read_conf(char *buffer, UINTN *size)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
	EFI_FILE_HANDLE root;
	EFI_FILE_HANDLE file;
	EFI_STATUS status;

	status = firmware_boot_services->HandleProtocol(volume_device, &guid, (void **)&volume);
	if (EFI_ERROR(status))
		return status;
	status = volume->OpenVolume(volume, &root);
	if (EFI_ERROR(status))
		return status;
	status = root->Open(root, &file, L"\\difficult.conf", EFI_FILE_MODE_READ, 0);
	if (!EFI_ERROR(status)) {
		status = file->Read(file, size, buffer);
		file->Close(file);
	}
	root->Close(root);
	return status;
}

/* Loads \app.efi by its path on our volume, so that the image knows where it came from. */
static EFI_STATUS load_app(EFI_HANDLE *ret_image)
{
	static const CHAR16 name[] = L"\\app.efi";
	static uint8_t path[IMAGE_PATH_NODES_SIZE_MAX + sizeof(name) + 2 * sizeof(EFI_DEVICE_PATH)];
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	EFI_DEVICE_PATH *device;
	EFI_STATUS status;
	size_t size;

	status = firmware_boot_services->HandleProtocol(volume_device, &guid, (void **)&device);
	if (EFI_ERROR(status))
		return status;
	size = device_path_size(device) - sizeof(EFI_DEVICE_PATH);
	memcpy(path, device, size);
	path[size++] = MEDIA_DEVICE_PATH;
	path[size++] = MEDIA_FILEPATH_DP;
	path[size++] = sizeof(EFI_DEVICE_PATH) + sizeof(name);
	path[size++] = 0;
	memcpy(path + size, name, sizeof(name));
	memcpy(path + size + sizeof(name), (uint8_t[]){ END_DEVICE_PATH_TYPE, 0xff, sizeof(EFI_DEVICE_PATH), 0 }, 4);
	return firmware_boot_services->LoadImage(FALSE, firmware_image, (void *)path, NULL, 0, ret_image);
}

/* Load options of kinds that real firmware passes, by number. */
static void pass_junk(EFI_LOADED_IMAGE *image, uint64_t kind)
{
	static uint8_t junk[70000];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(i * 37 + 0x91);
	image->LoadOptions = junk;
	switch (kind) {
	case 1: /* an odd number of bytes */
		image->LoadOptionsSize = 31;
		break;
	case 2: /* a size, but no pointer */
		image->LoadOptions = NULL;
		image->LoadOptionsSize = 64;
		break;
	case 3: /* far too many bytes */
		image->LoadOptionsSize = sizeof(junk);
		break;
	default: /* a whole EFI_LOAD_OPTION: attributes, a path's length, and the description */
		memcpy(junk, "\1\0\0\0\4\0U\0E\0F\0I\0 \0O\0S\0\0\0\x7f\xff\4", 26);
		image->LoadOptionsSize = 26;
		break;
	}
}

/* Zeros, or our own image, which has nothing sealed in it. */
static void *elsewhere(uint64_t kind)
{
	static uint8_t zeros[PAGE_SIZE];
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *ours = firmware_protocol_on(firmware_image, &guid);

	return kind == 1 ? zeros : ours->ImageBase;
}

/* PE/COFF specification, sections 3.3 and 4. */
#define PE_OFFSET 0x3c
#define COFF_SECTION_COUNT 6
#define COFF_OPTIONAL_SIZE 20
#define COFF_SIZE 24
#define SECTION_HEADER_SIZE 40

static void change_headers(uint8_t *headers, uint64_t kind)
{
	uint8_t *coff = headers + *(uint32_t *)(headers + PE_OFFSET);
	uint16_t *count = (uint16_t *)(coff + COFF_SECTION_COUNT);
	uint8_t *section = coff + COFF_SIZE + *(uint16_t *)(coff + COFF_OPTIONAL_SIZE);

	if (kind == 1)
		memset(headers, 0, PAGE_SIZE);
	else if (kind == 2)
		*count = 0;
	for (unsigned i = 0; kind == 3 && i < *count; i++, section += SECTION_HEADER_SIZE)
		section[1] = 'x';
}

static void lie_about(EFI_LOADED_IMAGE *image)
{
	const struct fault_state *place = &current_run.faults[FAULT_IMAGE_ELSEWHERE];
	const struct fault_state *size = &current_run.faults[FAULT_IMAGE_SIZE];
	const struct fault_state *headers = &current_run.faults[FAULT_HEADERS_CHANGE];

	if (headers->set)
		change_headers(image->ImageBase, headers->number);
	if (place->set)
		image->ImageBase = elsewhere(place->number);
	if (size->set)
		image->ImageSize = size->number;
}

void five_levels_enter(uint64_t top_table);

/* Puts a level above the present top table. Later runs keep it. */
static void enter_five_levels(void)
{
	EFI_PHYSICAL_ADDRESS table = FOUR_GIB - 1;
	uint64_t top;
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	if (cr4 & CR4_LA57 ||
	    EFI_ERROR(original_services.AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &table)))
		return;
	__asm__ volatile("mov %%cr3, %0" : "=r"(top));
	memset(phys_to_ptr(table), 0, PAGE_SIZE);
	*(uint64_t *)phys_to_ptr(table) = top | TABLE_PRESENT_AND_WRITABLE;
	five_levels_enter(table);
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	say("CR4 is 0x%lx", cr4);
}

static void let_all_execute(uint64_t table, unsigned level)
{
	uint64_t *entries = phys_to_ptr(table & ENTRY_ADDR);

	for (size_t i = 0; i < ENTRIES; i++) {
		if (!(entries[i] & ENTRY_PRESENT))
			continue;
		entries[i] &= ~ENTRY_NO_EXECUTE;
		if (level > 1 && !(entries[i] & ENTRY_LARGE))
			let_all_execute(entries[i], level - 1);
	}
}

static uint32_t efer_low(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(EFER));
	return low;
}

/* With EFER.NXE off the no-execute bit is a reserved bit, so it is cleared in all tables first. */
static void switch_no_execute_off(void)
{
	uint64_t cr0;
	uint64_t cr4;
	uint64_t top;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %%cr3, %0" : "=r"(top));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~CR0_WP) : "memory");
	let_all_execute(top, cr4 & CR4_LA57 ? 5 : 4);
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
	__asm__ volatile("mov %0, %%cr3" : : "r"(top) : "memory");
	__asm__ volatile("wrmsr" : : "a"(efer_low() & ~EFER_NXE), "d"(0), "c"(EFER) : "memory");
	say("EFER is 0x%x", efer_low());
}

static void hook(EFI_LOADED_IMAGE *image)
{
	original_services = *firmware_boot_services;
	app_set(image);
	occupy_arrange();
	if (current_run.faults[FAULT_FIVE_LEVELS].set)
		enter_five_levels();
	if (current_run.faults[FAULT_NO_EXECUTE_OFF].set)
		switch_no_execute_off();
	if (current_run.faults[FAULT_EDID].set)
		edid_install(current_run.faults[FAULT_EDID].number);
	memory_hook();
	services_hook();
	tpm_hook();
	files_hook(volume_device);
	lie_about(image);
	if (current_run.faults[FAULT_LOAD_OPTIONS_JUNK].set)
		pass_junk(image, current_run.faults[FAULT_LOAD_OPTIONS_JUNK].number);
	if (current_run.faults[FAULT_NO_CONSOLE].set) {
		firmware_system_table->ConOut = NULL;
		firmware_system_table->ConIn = NULL;
		firmware_system_table->StdErr = NULL;
	}
	if (current_run.faults[FAULT_OLD_REVISION].set)
		firmware_system_table->Hdr.Revision = REVISION_2_3_1;
}

static void unhook(const EFI_SYSTEM_TABLE *system_table)
{
	services_unhook();
	tpm_unhook();
	files_unhook();
	firmware_system_table->ConOut = system_table->ConOut;
	firmware_system_table->ConIn = system_table->ConIn;
	firmware_system_table->StdErr = system_table->StdErr;
	firmware_system_table->Hdr.Revision = system_table->Hdr.Revision;
}

/* Starts the image once with the faults of current_run; `number` counts the starts of a sweep. */
static EFI_STATUS start(uint64_t number)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_SYSTEM_TABLE system_table = *firmware_system_table;
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;
	EFI_HANDLE app;

	say("begin %s %lu", current_run.name, number);
	faults_say();
	status = load_app(&app);
	if (!EFI_ERROR(status))
		status = firmware_boot_services->HandleProtocol(app, &guid, (void **)&image);
	if (EFI_ERROR(status)) {
		say("cannot load \\app.efi: %s", efi_status_name(status));
		return status;
	}
	hook(image);
	status = firmware_boot_services->StartImage(app, NULL, NULL);
	unhook(&system_table);
	say("%s %s: fired %u left pages %u pools %u files %u images %u",
	    services_exit_reached() ? "would boot" : "returned", efi_status_name(status), fault_fired(),
	    ledger_count(HOLDING_PAGES), ledger_count(HOLDING_POOL), ledger_count(HOLDING_FILE),
	    ledger_count(HOLDING_IMAGE));
	ledger_release();
	occupy_release();
	say("free %lu KiB", occupy_free_size() / 1024);
	return status;
}

/* Repeats the run with the fault one call later each time, until the run ends without reaching it. */
static EFI_STATUS sweep(const struct run *run)
{
	EFI_STATUS status = EFI_ABORTED;

	for (uint64_t number = 1; number < SWEEP_MAX; number++) {
		current_run = *run;
		current_run.faults[run->swept].number = number;
		status = start(number);
		if (!current_run.faults[run->swept].fired)
			break;
	}
	return status;
}

static EFI_STATUS run_all(struct text conf)
{
	EFI_STATUS status = EFI_NOT_FOUND;
	struct run run;

	while (run_parse(&conf, &run)) {
		struct text rest = conf;
		struct run next;

		services_set_last(!run_parse(&rest, &next));
		if (run.swept != FAULT_NONE) {
			status = sweep(&run);
			continue;
		}
		current_run = run;
		status = start(0);
	}
	return status;
}

/* GNU-EFI's crt0 calls this in the System V ABI. No header declares it. */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	static char buffer[CONF_SIZE_MAX];
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	UINTN size = sizeof(buffer);
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;

	firmware_init(handle, system_table);
	console = system_table->ConOut;
	status = firmware_boot_services->HandleProtocol(handle, &guid, (void **)&image);
	if (!EFI_ERROR(status)) {
		volume_device = image->DeviceHandle;
		status = read_conf(buffer, &size);
	}
	if (EFI_ERROR(status))
		say("cannot read \\difficult.conf: %s", efi_status_name(status));
	else
		status = run_all((struct text){ .start = buffer, .length = size });
	say("done");
	firmware_leave(status);
}
