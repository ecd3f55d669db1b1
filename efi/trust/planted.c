// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists all variables (UEFI specification 8.2, GetNextVariableName) instead of asking for known names, because each
 * version of systemd has new ones. If the firmware does not list to the end, it falls back to the known names.
 */
#include "efi/trust/planted.h"

#include <stdbool.h>

#include "boot/loader_info.h"
#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"
#include "efi/trust/shim.h"
#include "efi/trust/verify.h"

#define EXPECTED_ATTRIBUTES VARIABLE_BOOT_RUNTIME

/* More variables than the largest store has room for. A listing that is longer never ends. */
#define LISTED_MAX 8192

/* Room for names of any vendor, because the listing includes all of them. */
#define NAME_ROOM 1024
#define NAME_ROOM_MAX ((size_t)64 * 1024)

/* Position in the listing: at the variable `name`, behind the variable `before`. One piece of memory has both names. */
struct listing {
	CHAR16 *name;
	CHAR16 *before;
	EFI_GUID vendor;
	EFI_GUID before_vendor;
	size_t room; /* for either name, in bytes */
};

/* Names for a message, as many as fit. */
struct names {
	char text[400];
	size_t length;
	bool is_full;
};

/* The variables that could not be deleted, and why. */
static struct names kept;
static EFI_STATUS kept_because;
static struct names deleted;

/*
 * From systemd 261: docs/BOOT_LOADER_INTERFACE.md, docs/SYSTEMD-BOOT.md, man/systemd-boot.xml, man/systemd-stub.xml;
 * and from src/boot: LoaderBootCountPath, LoaderRandomSeed (until 251) and LoaderKeyboardLayout.
 */
static const CHAR16 known_names[][25] = {
	L"LoaderBootCountPath",
	L"LoaderDeviceIdentifier",
	L"LoaderDevicePartUUID",
	L"LoaderDeviceURL",
	L"LoaderEntries",
	L"LoaderEntrySelected",
	L"LoaderFeatures",
	L"LoaderFirmwareInfo",
	L"LoaderFirmwareType",
	L"LoaderImageIdentifier",
	L"LoaderInfo",
	L"LoaderKeyboardLayout",
	L"LoaderRandomSeed",
	L"LoaderSysFailReason",
	L"LoaderTimeExecUSec",
	L"LoaderTimeInitUSec",
	L"LoaderTimeMenuUSec",
	L"LoaderTpm2ActivePcrBanks",
	L"StubDevicePartUUID",
	L"StubDeviceURL",
	L"StubFeatures",
	L"StubImageIdentifier",
	L"StubInfo",
	L"StubPcrInitRDConfExts",
	L"StubPcrInitRDSysExts",
	L"StubPcrKernelImage",
	L"StubPcrKernelParameters",
	L"StubProfile",
};

static const CHAR16 log_name[] = KEXEC_LOG_NAME;
static const EFI_GUID loader_vendor = LOADER_VENDOR_GUID;
static const EFI_GUID own_vendor = KEXEC_VENDOR_GUID;
static const EFI_GUID shim_vendor = SHIM_LOCK_GUID;

static bool is_same_vendor(const EFI_GUID *a, const EFI_GUID *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* `size`: of the name with its NUL, in bytes. */
static bool is_report(const CHAR16 *name, size_t size, const EFI_GUID *vendor)
{
	if (is_same_vendor(vendor, &loader_vendor))
		return loader_variable_is_report(name, size);
	if (is_same_vendor(vendor, &shim_vendor))
		return shim_variable_is_report(name);
	return is_same_vendor(vendor, &own_vendor) && size == sizeof(log_name) && memcmp(name, log_name, size) == 0;
}

static char printable(CHAR16 unit)
{
	/* A space would look like two names. */
	return (char)(unit > ' ' && unit <= '~' ? unit : '?');
}

#define AND_MORE " and more"

static void add_name(struct names *names, const CHAR16 *name, uint32_t attributes)
{
	char text[64];
	size_t length = format_text(text, sizeof(text), "%s", names->length ? ", " : "");
	size_t name_end = sizeof(text) - sizeof(" 0xffffffff");

	if (names->is_full)
		return;
	for (; *name && length < name_end; name++)
		text[length++] = printable(*name);
	length += format_text(text + length, sizeof(text) - length, " 0x%x", attributes);
	names->is_full = length > sizeof(names->text) - sizeof(AND_MORE) - names->length;
	names->length += format_text(names->text + names->length, sizeof(names->text) - names->length, "%s",
				     names->is_full ? AND_MORE : text);
}

/*
 * Deletes a report unless its attributes are known to be a loader's. Returns whether it is gone. A report that stays is
 * harmless if only boot services can see it.
 */
static bool delete_if_planted(const CHAR16 *name, const EFI_GUID *vendor)
{
	struct variable variable = {
		.name = name,
		.vendor = *vendor,
		.required = EXPECTED_ATTRIBUTES,
		.forbidden = ~(uint32_t)EXPECTED_ATTRIBUTES,
	};
	struct variable_reading reading;
	enum variable_state state = variable_look(&variable, &reading);
	EFI_STATUS status;

	if (state == VARIABLE_ABSENT || state == VARIABLE_FOUND)
		return false;
	status = variable_delete(&variable);
	if (status == EFI_SUCCESS) {
		add_name(&deleted, name, reading.attributes);
		return true;
	}
	if (state != VARIABLE_WRONG_ATTRIBUTES || (reading.attributes & EFI_VARIABLE_RUNTIME_ACCESS)) {
		add_name(&kept, name, reading.attributes);
		kept_because = status;
	}
	return false;
}

static void free_names(const struct listing *listing)
{
	if (listing->name)
		firmware_boot_services->FreePool(listing->name);
}

/* Makes room for names of `size` bytes, and keeps the position. */
static EFI_STATUS make_room(struct listing *listing, size_t size)
{
	CHAR16 *names;
	EFI_STATUS status;

	if (size <= listing->room || size > NAME_ROOM_MAX)
		return EFI_BAD_BUFFER_SIZE;
	status = firmware_boot_services->AllocatePool(EfiLoaderData, 2 * size, (void **)&names);
	if (EFI_ERROR(status))
		return status;
	memset(names, 0, 2 * size);
	if (listing->name) {
		memcpy(names, listing->before, listing->room);
		memcpy((uint8_t *)names + size, listing->before, listing->room);
	}
	free_names(listing);
	listing->name = names;
	listing->before = (CHAR16 *)((uint8_t *)names + size);
	listing->room = size;
	return EFI_SUCCESS;
}

/* The size of the name with its NUL, in bytes; 0 where the NUL is missing. */
static size_t name_size(const struct listing *listing)
{
	for (size_t i = 0; i < listing->room / sizeof(*listing->name); i++) {
		if (!listing->name[i])
			return (i + 1) * sizeof(*listing->name);
	}
	return 0;
}

/* Goes on to the next variable. EFI_NOT_FOUND at the end. */
static EFI_STATUS go_on(struct listing *listing)
{
	EFI_STATUS status;
	UINTN size;

	memcpy(listing->before, listing->name, listing->room);
	listing->before_vendor = listing->vendor;
	size = listing->room;
	status = firmware_runtime_services->GetNextVariableName(&size, listing->name, &listing->vendor);
	if (status == EFI_BUFFER_TOO_SMALL) {
		listing->vendor = listing->before_vendor;
		status = make_room(listing, size);
		if (status != EFI_SUCCESS)
			return status;
		size = listing->room;
		status = firmware_runtime_services->GetNextVariableName(&size, listing->name, &listing->vendor);
	}
	return status;
}

/* Steps back after the variable was deleted, because the firmware finds its place by an existing name. */
static void go_back(struct listing *listing)
{
	memcpy(listing->name, listing->before, listing->room);
	listing->vendor = listing->before_vendor;
}

/* Returns EFI_NOT_FOUND once all variables have been listed, and anything else if they have not. */
static EFI_STATUS delete_listed(struct listing *listing)
{
	EFI_STATUS status = make_room(listing, NAME_ROOM);

	for (unsigned i = 0; status == EFI_SUCCESS && i < LISTED_MAX; i++) {
		size_t size;

		status = go_on(listing);
		if (status != EFI_SUCCESS)
			break;
		size = name_size(listing);
		if (!size)
			return EFI_COMPROMISED_DATA;
		if (is_report(listing->name, size, &listing->vendor) &&
		    delete_if_planted(listing->name, &listing->vendor))
			go_back(listing);
	}
	return status;
}

static void delete_known(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++)
		delete_if_planted(known_names[i], &loader_vendor);
	for (size_t i = 0; shim_report_name(i); i++)
		delete_if_planted(shim_report_name(i), &shim_vendor);
	delete_if_planted(log_name, &own_vendor);
}

void planted_delete(void)
{
	struct listing listing = { 0 };
	EFI_STATUS status;

	status = delete_listed(&listing);
	free_names(&listing);
	if (status != EFI_NOT_FOUND) {
		log_verbose("variables: expected the firmware to list them all, found %s", efi_status_name(status));
		kept = (struct names){ 0 };
		delete_known();
	}
	if (deleted.length)
		log_warning("boot loader interface: expected attributes 0x%x, found %s: deleted", EXPECTED_ATTRIBUTES,
			    deleted.text);
	if (kept.length)
		log_warning("boot loader interface: expected attributes 0x%x, found %s: the firmware keeps them: %s",
			    EXPECTED_ATTRIBUTES, kept.text, efi_status_name(kept_because));
}

enum kexec_status planted_check(const struct boot_plan *plan)
{
	bool relies_on_trust = ENFORCE_SIGNATURE || plan->require_signature || boot_part_is_sealed(&plan->kernel);

	if (!kept.length || !relies_on_trust)
		return KEXEC_OK;
	return log_error(
		KEXEC_DENIED,
		"%s: expected no variable that Linux takes for a loader's, found %s with other attributes than 0x%x",
		plan->said_by, kept.text, EXPECTED_ATTRIBUTES);
}
