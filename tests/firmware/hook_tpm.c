// SPDX-License-Identifier: BSD-2-Clause
/* Hooks of the TPM's protocol, for the calls that the loader uses (TCG EFI Protocol Specification, 6). */
#include "efi/services/firmware.h"
#include "efi/measure/tpm.h"
#include "tests/firmware/difficult.h"

static struct measurement_protocol *tpm;
static struct measurement_protocol original;
static EFI_PHYSICAL_ADDRESS first_last; /* the last event when this run first read the log */
static bool look_fails;

static EFI_STATUS EFIAPI get_capability(struct measurement_protocol *self, void *capability)
{
	if (CALLED_BY_APP() && fault_hits(FAULT_TPM_ERROR))
		return EFI_DEVICE_ERROR;
	return original.get_capability(self, capability);
}

static EFI_STATUS EFIAPI get_event_log(struct measurement_protocol *self, UINT32 format, EFI_PHYSICAL_ADDRESS *log,
				       EFI_PHYSICAL_ADDRESS *last, BOOLEAN *truncated)
{
	EFI_STATUS status;

	if (CALLED_BY_APP() && fault_hits(FAULT_TPM_ERROR))
		return EFI_DEVICE_ERROR;
	if (format == TCG_LOG_FORMAT_2 && CALLED_BY_APP() && fault_hits(FAULT_TPM_LOG_OLD))
		return EFI_INVALID_PARAMETER;
	/* The image asks for the new format, then, if that fails, for the old one. Both calls count as one look. */
	if (format == TCG_LOG_FORMAT_2 && CALLED_BY_APP())
		look_fails = fault_hits(FAULT_TPM_LOG_ERROR);
	if (CALLED_BY_APP() && look_fails)
		return EFI_DEVICE_ERROR;
	status = original.get_event_log(self, format, log, last, truncated);
	if (EFI_ERROR(status) || !CALLED_BY_APP())
		return status;
	if (fault_hits(FAULT_TPM_LOG_TORN))
		--*last;
	if (fault_hits(FAULT_TPM_LOG_STANDS)) {
		if (!first_last)
			first_last = *last;
		*last = first_last;
		*truncated = TRUE;
	}
	return status;
}

static EFI_STATUS EFIAPI hash_log_extend_event(struct measurement_protocol *self, UINT64 flags,
					       EFI_PHYSICAL_ADDRESS bytes, UINT64 size, const void *event)
{
	EFI_STATUS status;

	if (CALLED_BY_APP() && (fault_hits(FAULT_TPM_ERROR) || fault_hits(FAULT_TPM_EXTEND_ERROR) ||
				fault_hits_from(FAULT_TPM_EXTEND_BREAKS)))
		return EFI_DEVICE_ERROR;
	status = original.hash_log_extend_event(self, flags, bytes, size, event);
	if (CALLED_BY_APP() && fault_hits(FAULT_TPM_LOG_FULL))
		return EFI_VOLUME_FULL;
	return status;
}

void tpm_hook(void)
{
	EFI_GUID guid = { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } };

	if (EFI_ERROR(original_services.LocateProtocol(&guid, NULL, (void **)&tpm))) {
		tpm = NULL;
		return;
	}
	original = *tpm;
	first_last = 0;
	look_fails = false;
	tpm->get_capability = get_capability;
	tpm->get_event_log = get_event_log;
	tpm->hash_log_extend_event = hash_log_extend_event;
}

void tpm_unhook(void)
{
	if (!tpm)
		return;
	tpm->get_capability = original.get_capability;
	tpm->get_event_log = original.get_event_log;
	tpm->hash_log_extend_event = original.hash_log_extend_event;
}
