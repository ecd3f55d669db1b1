// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec-efi: the pipeline of kexec_file_load as a UEFI application. The bytes that are read are the bytes that are
 * hashed, and the bytes that run.
 */
#include "boot/attempts.h"
#include "boot/digest.h"
#include "boot/forensics.h"
#include "boot/log.h"
#include "boot/purgatory.h"
#include "efi/console/console.h"
#include "efi/linux/event_log.h"
#include "efi/linux/handover.h"
#include "efi/linux/loader_interface.h"
#include "efi/linux/memory_overwrite.h"
#include "efi/linux/random_seed.h"
#include "efi/notes/start_note.h"
#include "efi/load/load.h"
#include "efi/measure/extras_events.h"
#include "efi/measure/measure.h"
#include "efi/measure/stub_variables.h"
#include "efi/plan/find_plan.h"
#include "efi/services/clock.h"
#include "efi/services/cpu_mode.h"
#include "efi/services/firmware.h"
#include "efi/services/stack_guard.h"
#include "efi/trust/addons.h"
#include "efi/trust/dma.h"
#include "efi/notes/last_stop.h"
#include "efi/trust/network_trust.h"
#include "efi/trust/planted.h"
#include "efi/trust/secureboot.h"
#include "efi/trust/verify.h"

extern const uint8_t purgatory_blob[];
extern const uint8_t purgatory_blob_end[];

/* The state that is kept from one entry to the next. */
struct start {
	EFI_LOADED_IMAGE *image;
	struct last_stop last_stop;
	struct attempts attempts;
};

/* The state of booting one entry. */
struct boot {
	struct start *start;
	struct sources sources;
	struct boot_plan plan;
	bool was_shown;	  /* the platform was asked about the kernel */
	bool is_measured; /* the kernel was measured */
	struct kexec_image kexec_image;
	struct digest digest;
	struct kernel kernel;
	struct extras extras;
	struct loaded_initrds initrds;
	const struct kexec_segment *cmdline;
	struct page_record page_record;
	struct purgatory purgatory;
	struct handover handover;
};

/* Finds out first who started us, because that decides how a failure returns. */
static enum kexec_status find_self(struct start *start)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_STATUS status;

	status = firmware_boot_services->HandleProtocol(firmware_image, &guid, (void **)&start->image);
	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "cannot tell where this program came from: %s",
				 efi_status_name(status));
	loader_interface_start(start->image);
	start_note_begin(start->image);
	start->last_stop = last_stop_report();
	/* The stopped start was the trial of another image, so ours boots at once. */
	if (start_note_stopped())
		start->last_stop = (struct last_stop){ .at_the_exit = start->last_stop.at_the_exit };
	log_info("kexec-efi " KEXEC_EFI_VERSION);
	return KEXEC_OK;
}

static struct started_entry started_entry(const struct start *start)
{
	return (struct started_entry){
		.is_first = start->attempts.index == 0,
		.has_next = attempts_has_next(&start->attempts),
	};
}

static enum kexec_status make_plan(struct boot *boot)
{
	struct start *start = boot->start;
	struct started_entry entry;
	enum kexec_status status;

	clock_enter(PHASE_READ);
	sources_start(&boot->sources, start->image);
	status = find_plan(start->image, &boot->sources, &start->attempts, &boot->plan);
	if (status)
		return status;
	log_set_verbose(boot->plan.verbose);
	boot_plan_print_unknown_keys(&boot->plan);
	entry = started_entry(start);
	status = last_stop_check(&start->last_stop, &boot->plan, &entry);
	if (!status)
		status = sources_use_volume(&boot->sources, boot->plan.volume);
	if (!status)
		status = network_trust_check(&boot->plan);
	return status ? status : planted_check(&boot->plan);
}

static bool platform_sees_kernel(void)
{
	return secure_boot_may_be_on() || measure_is_possible();
}

static struct load_target load_target(struct boot *boot)
{
	return (struct load_target){
		.sources = &boot->sources,
		.kexec_image = &boot->kexec_image,
		.digest = &boot->digest,
		.needs_whole_file = platform_sees_kernel,
		.added_initrd = measure_added_initrd,
		.is_judged = secure_boot_may_be_on,
		.extras = &boot->extras,
		.addons_are_verified = secure_boot_is_on,
	};
}

/*
 * An entry that is refused before anything is measured leaves the registers unchanged, so that the next entry can still
 * reach its predicted values. So a kernel that comes by itself is measured when its initrds are loaded and verified.
 * The measurement cannot wait if addons follow in register 4, or for a unified image, whose file is not kept.
 */
static bool is_measured_at_once(const struct boot *boot)
{
	return boot->kernel.view.bytes || extras_may_add(&boot->extras);
}

static void measure_kernel_once(struct boot *boot)
{
	if (!boot->is_measured)
		measure_kernel(&boot->plan, &boot->kernel, boot->was_shown);
	boot->is_measured = true;
}

/*
 * Reads the kernel to the place where it will run, and asks the platform to judge it there. It is measured there, too.
 */
static enum kexec_status load_trusted_kernel(struct boot *boot)
{
	const struct load_target target = load_target(boot);
	enum kexec_status status;

	status = digest_start(&boot->digest);
	if (status)
		return status;
	clock_enter(PHASE_READ);
	status = load_kernel(&boot->plan, &target, &boot->kernel);
	if (status)
		return status;
	clock_enter(PHASE_CHECK);
	if (boot->start->attempts.index)
		measure_start_again();
	else
		measure_start();
	status = verify_kernel(&boot->plan, &boot->kernel, &boot->was_shown);
	if (status)
		return status;
	if (is_measured_at_once(boot))
		measure_kernel_once(boot);
	status = load_unified_kernel(&boot->plan, &target, &boot->kernel);
	return status ? status : addons_load(&boot->kernel, &boot->digest, &boot->extras);
}

static enum kexec_status load_initrds_and_command_line(struct boot *boot)
{
	const struct load_target target = load_target(boot);
	enum kexec_status status;

	clock_enter(PHASE_READ);
	status = load_initrds(&boot->plan, &boot->kernel, &target, &boot->initrds);
	if (status)
		return status;
	status = load_command_line(&boot->plan, &boot->kernel, &target, &boot->cmdline);
	if (status)
		return status;
	if (boot->plan.forensics)
		forensics_record_pages(&boot->kexec_image, &boot->digest, &boot->page_record);
	clock_enter(PHASE_CHECK);
	measure_kernel_once(boot);
	measure_extras(&boot->extras);
	measure_rest(&boot->plan, &boot->kernel, &boot->initrds, boot->extras.command_line);
	unified_file_free(&boot->kernel.unified);
	extras_free(&boot->extras);
	return KEXEC_OK;
}

static struct stop_policy stop_policy(const struct boot *boot)
{
	const struct started_entry entry = started_entry(boot->start);

	return last_stop_policy(&boot->start->last_stop, &boot->plan, &entry);
}

static enum kexec_status place_purgatory(struct boot *boot)
{
	const struct stop_policy policy = stop_policy(boot);
	enum kexec_status status;

	clock_enter(PHASE_PLACE);
	status = purgatory_load(&boot->kexec_image, purgatory_blob,
				(uintptr_t)purgatory_blob_end - (uintptr_t)purgatory_blob, &boot->purgatory);
	if (status)
		return status;
	return last_stop_set_policy(&boot->purgatory, &policy);
}

/* Tells the purgatory where to continue and where to report, because all segments have their places now. */
static enum kexec_status instruct_purgatory(struct boot *boot)
{
	struct handover *handover = &boot->handover;
	const struct kernel_move kernel_move = kernel_find_move(&boot->kernel);
	struct kernel_entry kernel_entry = {
		.rip = boot->kernel.load_addr + boot->kernel.plan.entry_offset,
		.rsi = (uintptr_t)handover->params,
	};
	enum kexec_status status;

	kexec_image_print(&boot->kexec_image);
	log_verbose("purgatory entry 0x%016lx", boot->purgatory.entry_point);
	status = handover_prepare_takeover(&boot->purgatory, &boot->handover);
	if (status)
		return status;
	status = purgatory_set_screen(&boot->purgatory, &handover->params->screen_info, &handover->framebuffer);
	if (status)
		return status;
	status = purgatory_set(&boot->purgatory, purgatory_page_record, &boot->page_record);
	if (status)
		return status;
	status = purgatory_set(&boot->purgatory, purgatory_kernel_move, &kernel_move);
	if (status)
		return status;
	return purgatory_set(&boot->purgatory, purgatory_kernel_entry, &kernel_entry);
}

static enum kexec_status hash_segments(struct boot *boot)
{
	firmware_feed_watchdog();
	clock_enter(PHASE_HASH);
	return digest_prepare(&boot->kexec_image, &boot->purgatory, &boot->digest);
}

/* Sets the configuration tables and variables that Linux finds. Best effort: no failure here ends the boot. */
static void leave_for_linux(const struct boot *boot)
{
	if (!boot->plan.overwrite_off)
		memory_overwrite_request();
	random_seed_install();
	event_log_install();
	stub_variables_set();
	start_note_started();
	clock_print_phases();
	/* Log this last: a full log loses its first lines. */
	attempts_print(&boot->start->attempts);
	loader_interface_finish(&boot->plan, boot->kernel.view.bytes != NULL);
}

/*
 * From here on only the purgatory can report times, on the serial line. In a TDX guest it reports none: there the
 * serial port raises an exception, on which the purgatory shuts the CPU down. So it uses the port only to report a
 * mismatch, before it stops.
 */
static enum kexec_status hand_over_clock(const struct boot *boot)
{
	struct purgatory_clock clock = { 0 };

	if (boot->plan.verbose && !cpu_is_tdx_guest())
		clock = clock_enter_exit();
	return purgatory_set(&boot->purgatory, purgatory_clock, &clock);
}

static void silence_devices(struct boot *boot)
{
	sources_close(&boot->sources);
	if (boot->plan.dma_off)
		dma_turn_off();
}

static enum kexec_status leave_firmware(struct boot *boot)
{
	const struct stop_policy policy = stop_policy(boot);

	silence_devices(boot);
	return handover_exit(&boot->handover, &boot->digest, &policy);
}

/*
 * Undoes leave_for_linux and frees everything, for the next entry, ours or the firmware's. The request to clear memory
 * stays, and does no harm.
 */
static void take_back(struct boot *boot)
{
	dma_restore();
	loader_interface_take_back();
	stub_variables_delete();
	event_log_uninstall();
	random_seed_uninstall();
	extras_free(&boot->extras);
	unified_file_free(&boot->kernel.unified);
	kexec_image_free(&boot->kexec_image);
	digest_free(&boot->digest);
	boot_plan_free(&boot->plan);
	sources_close(&boot->sources);
}

/* Returns only if the entry is refused. */
static enum kexec_status boot_entry(struct boot *boot)
{
	enum kexec_status status;

	status = make_plan(boot);
	if (status)
		return status;
	status = load_trusted_kernel(boot);
	if (status)
		return status;
	status = load_initrds_and_command_line(boot);
	if (status)
		return status;
	status = place_purgatory(boot);
	if (status)
		return status;
	status = handover_prepare(&boot->kernel, boot->initrds.segment, boot->cmdline, &boot->purgatory,
				  &boot->kexec_image, &boot->handover);
	if (status)
		return status;
	status = instruct_purgatory(boot);
	if (status)
		return status;
	status = hash_segments(boot);
	if (status)
		return status;
	status = measure_finish(&boot->plan);
	if (status)
		return status;
	leave_for_linux(boot);
	status = hand_over_clock(boot);
	if (status)
		return status;
	status = leave_firmware(boot);
	if (status)
		return status;
	handover_jump(boot->purgatory.entry_point, boot->handover.page_table_root, boot->handover.no_execute);
}

/* Only `start` carries state from one entry to the next. */
static enum kexec_status boot_entries(struct start *start)
{
	enum kexec_status status;
	bool goes_on;

	do {
		struct boot boot = { .start = start };

		status = boot_entry(&boot);
		start_note_refused();
		goes_on = attempts_go_on(&start->attempts, console_last_error());
		if (goes_on)
			measure_refusal(&boot.plan, boot.was_shown);
		take_back(&boot);
	} while (goes_on);
	return status;
}

/* GNU-EFI's crt0 calls this, in the System V ABI, and declares it nowhere. */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	struct start start = { 0 };
	enum kexec_status status;

	firmware_init(handle, system_table);
	stack_guard_start();

	status = find_self(&start);
	if (!status)
		status = boot_entries(&start);
	firmware_leave(loader_interface_failed(status_to_efi(status)));
}
