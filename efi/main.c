// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec-efi: the pipeline of kexec_file_load as a UEFI application. What is read is what is hashed, what is hashed is
 * what runs.
 */
#include "boot/digest.h"
#include "boot/log.h"
#include "boot/purgatory.h"
#include "efi/clock.h"
#include "efi/dma.h"
#include "efi/entry_source.h"
#include "efi/event_log.h"
#include "efi/file.h"
#include "efi/firmware.h"
#include "efi/handover.h"
#include "efi/load.h"
#include "efi/loader_interface.h"
#include "efi/measure.h"
#include "efi/memory_overwrite.h"
#include "efi/mismatch.h"
#include "efi/random_seed.h"
#include "efi/verify.h"

extern const uint8_t purgatory_blob[];
extern const uint8_t purgatory_blob_end[];

static enum kexec_status read_entry(struct entry_source *source)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *image;
	enum kexec_status status;
	EFI_STATUS efi_status;

	efi_status = firmware_boot_services->HandleProtocol(firmware_image, &guid, (void **)&image);
	if (EFI_ERROR(efi_status))
		return log_error(status_from_efi(efi_status), "cannot tell where this program came from: %s",
				 efi_status_name(efi_status));
	loader_interface_start(image);
	log_info("kexec-efi " KEXEC_EFI_VERSION);
	file_set_device(image->DeviceHandle);
	status = entry_source_read(image, source);
	if (status)
		return status;
	log_set_verbose(source->entry.verbose);
	entry_print_unknown_keys(&source->entry);
	return KEXEC_OK;
}

/* All segments have their places now: the purgatory can be told where to go on, and where to complain. */
static enum kexec_status instruct_purgatory(const struct kexec_image *image, const struct purgatory *purgatory,
					    const struct kernel *kernel, const struct handover *handover)
{
	struct kernel_entry entry = {
		.rip = kernel->segment->mem + BZIMAGE_ENTRY_64_OFFSET,
		.rsi = (uintptr_t)handover->params,
	};

	enum kexec_status status;

	image_print(image);
	log_verbose("purgatory entry 0x%016lx", purgatory->entry);
	status = purgatory_set_screen(purgatory, &handover->params->screen_info, &handover->framebuffer);
	if (status)
		return status;
	return purgatory_set(purgatory, purgatory_kernel_entry, &entry);
}

/* From here on only the purgatory can say how long things take. */
static enum kexec_status hand_over_clock(const struct purgatory *purgatory, const struct entry *entry)
{
	struct purgatory_clock clock = { 0 };

	if (entry->verbose)
		clock = clock_enter_exit();
	return purgatory_set(purgatory, purgatory_clock, &clock);
}

/* What Linux finds in the firmware's configuration tables and variables. Nothing here is worth failing for. */
static void leave_for_linux(void)
{
	memory_overwrite_request();
	random_seed_install();
	event_log_install();
}

/* For whoever boots next: what firmware must not go on with. The request to clear memory does no harm. */
static void take_back(void)
{
	dma_restore();
	event_log_uninstall();
	random_seed_uninstall();
}

/* GNU-EFI's crt0 calls this, in the System V ABI, and declares it nowhere. */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	const struct kexec_segment *initrd;
	const struct kexec_segment *cmdline;
	struct entry_source source = { 0 };
	struct kexec_image image = { 0 };
	struct purgatory purgatory;
	struct handover handover;
	struct kernel kernel;
	struct digest digest;
	enum kexec_status status;

	firmware_init(handle, system_table);

	status = mismatch_report();
	if (status)
		goto out;
	status = read_entry(&source);
	if (status)
		goto out;
	clock_enter(PHASE_READ);
	digest_init(&digest);
	status = load_kernel(&source.entry, &image, &digest, &kernel);
	if (status)
		goto out;
	clock_enter(PHASE_CHECK);
	measure_start();
	status = verify_kernel(&source.entry, &kernel);
	if (status)
		goto out;
	measure_kernel(&kernel);
	/* Only now the signature may go, which lies behind the kernel. */
	digest_close(&digest, kernel.segment);
	clock_enter(PHASE_READ);
	status = load_initrds(&source.entry, &kernel, &image, &digest, &initrd);
	if (status)
		goto out;
	status = load_command_line(&source.entry, &kernel, &image, &cmdline);
	if (status)
		goto out;
	clock_enter(PHASE_CHECK);
	measure_rest(&source.entry, initrd, cmdline);
	clock_enter(PHASE_PLACE);
	status = purgatory_load(&image, purgatory_blob, (size_t)(purgatory_blob_end - purgatory_blob), &purgatory);
	if (status)
		goto out;
	status = mismatch_set_policy(&purgatory, &source.entry);
	if (status)
		goto out;
	status = handover_prepare(&kernel, initrd, cmdline, &image, &handover);
	if (status)
		goto out;
	status = instruct_purgatory(&image, &purgatory, &kernel, &handover);
	if (status)
		goto out;
	firmware_feed_watchdog();
	clock_enter(PHASE_HASH);
	status = digest_prepare(&image, &purgatory, &digest);
	if (status)
		goto out;
	leave_for_linux();
	clock_print_phases();
	loader_interface_finish();
	status = hand_over_clock(&purgatory, &source.entry);
	if (status)
		goto out;
	file_close_volume();
	if (source.entry.dma_off)
		dma_turn_off();
	status = handover_exit(&handover, &digest);
	if (status)
		goto out;
	handover_jump(purgatory.entry, handover.page_table_root);

out:
	take_back();
	image_free(&image);
	entry_source_free(&source);
	file_close_volume();
	firmware_leave(loader_interface_failed(status_to_efi(status)));
}
