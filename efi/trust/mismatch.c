// SPDX-License-Identifier: BSD-2-Clause
/* Reads the purgatory's note. */
#include "efi/trust/mismatch.h"

#include "boot/log.h"
#include "common/digest_text.h"
#include "common/mismatch_note.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"

static uint16_t variable_name[] = MISMATCH_VARIABLE_NAME;

/* *ret_deleted: it will not be read again. */
static bool read_and_delete(struct mismatch_record *ret_record, bool *ret_deleted)
{
	EFI_GUID guid = KEXEC_VENDOR_GUID;
	UINTN size = sizeof(*ret_record);
	EFI_STATUS status;

	status = firmware_runtime_services->GetVariable(variable_name, &guid, NULL, &size, ret_record);
	if (status == EFI_NOT_FOUND)
		return false;
	/* Whatever it holds, it is read once. */
	*ret_deleted = !EFI_ERROR(firmware_runtime_services->SetVariable(variable_name, &guid, 0, 0, NULL));
	return !EFI_ERROR(status) && size == sizeof(*ret_record) && ret_record->version == MISMATCH_RECORD_VERSION;
}

enum kexec_status mismatch_report(void)
{
	char expected[DIGEST_TEXT_SIZE];
	char found[DIGEST_TEXT_SIZE];
	struct mismatch_record record;
	bool deleted;

	if (!read_and_delete(&record, &deleted))
		return KEXEC_OK;
	format_digest(expected, record.expected);
	format_digest(found, record.found);
	log_warning("the purgatory stopped the last start: digest mismatch in %.*s: expected %s, found %s",
		    REGION_NAME_SIZE, record.region, expected, found);
	/* A note that stays must not keep the machine from booting for ever. */
	if (!deleted)
		log_warning("the firmware does not delete the note of it; going on");
	if (record.on_mismatch != ON_MISMATCH_RESET || !deleted)
		return KEXEC_OK;
	return log_error(KEXEC_MISMATCH, "not trying again at once (on-mismatch reset); the next start will");
}

enum kexec_status mismatch_set_policy(const struct purgatory *purgatory, const struct boot_plan *plan)
{
	struct purgatory_policy policy = {
		.set_variable = (uintptr_t)firmware_runtime_services->SetVariable,
		.reset_system = (uintptr_t)firmware_runtime_services->ResetSystem,
		.on_mismatch = plan->on_mismatch,
	};

	return purgatory_set(purgatory, purgatory_policy, &policy);
}
