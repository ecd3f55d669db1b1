// SPDX-License-Identifier: BSD-2-Clause
/* Decides how each part is measured, and which failures end the boot. */
#include "efi/measure/measure.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/measure/events.h"
#include "efi/measure/sections.h"
#include "efi/measure/tpm.h"
#include "efi/services/firmware.h"

enum {
	PCR_BOOT_LOADER_CODE = 4, /* TCG PC Client Platform Firmware Profile Specification, 3.3.4 */
	PCR_INITRD = 9,		  /* as the kernel's EFI stub (libstub/efi-stub-helper.c) */
};

#define LOAD_OPTIONS_TAG 0x8f3b22edu /* LOAD_OPTIONS_EVENT_TAG_ID of that file */
#define INITRD_TAG 0x8f3b22ecu	     /* INITRD_EVENT_TAG_ID */
#define ENTRY_TAG 0x6b786566u	     /* our own */
#define REFUSAL_TAG 0x6b786572u	     /* likewise */

/* UEFI_IMAGE_LOAD_EVENT, without a device path */
struct image_load_event {
	uint64_t addr;
	uint64_t size;
	uint64_t link_addr;
	uint64_t path_size;
};

/* Whether a part of this entry was measured, or was to be. */
static bool has_begun;

void measure_start(void)
{
	tpm_find();
	events_start();
	has_begun = false;
}

void measure_start_again(void)
{
	tpm_find_again();
	events_start_again();
	has_begun = false;
}

bool measure_is_possible(void)
{
	return tpm_outcome().is_there;
}

static void measure_file(const struct kernel *kernel, bool was_shown)
{
	struct image_load_event log = { .addr = (uintptr_t)kernel->file, .size = kernel->file_size };
	struct tpm_event event = {
		.what = "kernel",
		.pcr = PCR_BOOT_LOADER_CODE,
		.type = TPM_EVENT_BOOT_SERVICES_APPLICATION,
		.bytes = kernel->file,
		.size = kernel->file_size,
		.as_image = kernel_authenticode_covers(&kernel->plan, kernel->file, kernel->file_size),
		.log = &log,
		.log_size = sizeof(log),
	};

	if (was_shown)
		tpm_measure_unless_logged(&event);
	else
		tpm_measure(&event);
}

/* Whether the command line was added to the image. One that is in our own image is measured with its section. */
static bool has_added_options(const struct boot_plan *plan)
{
	return plan->command_line.length && (plan->kernel.source != PART_IN_IMAGE || plan->options_are_added);
}

void measure_kernel(const struct boot_plan *plan, const struct kernel *kernel, bool was_shown)
{
	has_begun = true;
	if (kernel->part->source != PART_IN_IMAGE)
		measure_file(kernel, was_shown);
	if (!kernel->view.bytes)
		return;
	sections_measure_profile(plan->profile);
	sections_measure(&kernel->view);
	if (has_added_options(plan))
		event_options(EVENTS_OF_PARAMETERS, "options", plan->command_line);
}

static struct event_subject entry_subject(struct text text, const char *what)
{
	return (struct event_subject){
		.pcr = PCR_CONFIGURATION,
		.what = what,
		.bytes = text.start,
		.size = text.length,
	};
}

static void measure_text(struct text text)
{
	static const char name[] = "kexec-efi entry";
	const struct event_subject subject = entry_subject(text, "entry");

	event_tagged(&subject, ENTRY_TAG, name, sizeof(name));
}

/*
 * Without this event the registers would say that the refused entry was booted. If nothing of it was measured, no event
 * is needed: the registers then get the same values as if the next entry had been the first.
 */
void measure_refusal(const struct boot_plan *plan, bool was_shown)
{
	static const char name[] = "kexec-efi refused";
	const struct event_subject subject = entry_subject(plan->text, "refusal");

	if (has_begun || was_shown)
		event_tagged(&subject, REFUSAL_TAG, name, sizeof(name));
	has_begun = false;
}

void measure_added_initrd(const char *name, const void *bytes, uint64_t size)
{
	const struct event_subject subject = {
		.group = EVENTS_OF_PARAMETERS,
		.pcr = PCR_CONFIGURATION,
		.what = "added initrd",
		.bytes = bytes,
		.size = size,
	};

	event_tagged_name(&subject, EVENT_ADDED_INITRD_TAG, name);
}

static void measure_initrd(const struct kexec_segment *initrd)
{
	static const char name[] = "Linux initrd";
	const struct event_subject subject = {
		.pcr = PCR_INITRD,
		.what = "initrd",
		.bytes = phys_to_ptr(initrd->mem),
		.size = initrd->bufsz,
	};

	event_tagged(&subject, INITRD_TAG, name, sizeof(name));
}

/* Measures the command line as the kernel's EFI stub measures its load options: nothing if there are none. */
static void measure_load_options(const struct unified_view *view, struct text command_line)
{
	static const char name[] = "LOADED_IMAGE::LoadOptions";
	const struct event_subject subject = { .pcr = PCR_INITRD, .what = "command line" };

	if (command_line.length || view->image.sections[UNIFIED_COMMAND_LINE].size)
		event_tagged_text(&subject, command_line, LOAD_OPTIONS_TAG, name, sizeof(name));
}

/*
 * Measures the parts in place of a unified image's sections, so that a signed policy for such an image unlocks the disk
 * here as well.
 */
static void measure_as_image(const struct kernel *kernel, const struct loaded_initrds *initrds,
			     struct text command_line)
{
	sections_measure_as(UNIFIED_KERNEL, kernel->file, kernel->file_size);
	sections_measure_as(UNIFIED_COMMAND_LINE, command_line.start, command_line.length);
	if (initrds->segment)
		sections_measure_as(UNIFIED_INITRD, phys_to_ptr(initrds->segment->mem), initrds->named_size);
	sections_measure_as(UNIFIED_PUBLIC_KEY, initrds->pcr_key.start, initrds->pcr_key.length);
}

static void measure_rest_of_image(const struct kernel *kernel, const struct kexec_segment *initrd,
				  struct text command_line)
{
	measure_load_options(&kernel->view, command_line);
	if (initrd)
		measure_initrd(initrd);
}

void measure_rest(const struct boot_plan *plan, const struct kernel *kernel, const struct loaded_initrds *initrds,
		  struct text command_line)
{
	bool as_image = plan->measured_as_image;

	if (kernel->view.bytes) {
		measure_rest_of_image(kernel, initrds->segment, command_line);
		return;
	}
	if (as_image)
		measure_as_image(kernel, initrds, command_line);
	measure_text(plan->text);
	if (initrds->segment)
		measure_initrd(initrds->segment);
	event_options(as_image ? EVENTS_OF_PARAMETERS : EVENTS_OF_NOBODY, "command line", command_line);
}

/* Ends a register that this boot does not use, as firmware ends its own: EV_SEPARATOR with the value 0. */
static void measure_nothing(uint32_t pcr)
{
	static const uint32_t no_error = 0;
	const struct tpm_event event = tpm_separator("separator", pcr, &no_error);

	tpm_measure(&event);
}

/*
 * A register that still has its reset value can be extended to any value that somebody expects. Signed policies for
 * unified images expect values of register 11.
 */
static void cap_unused(void)
{
	static const uint32_t registers[] = { PCR_INITRD, PCR_UNIFIED_IMAGE };

	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		if (!events_are_in(registers[i]))
			measure_nothing(registers[i]);
	}
}

static uint32_t lowest(uint32_t registers)
{
	uint32_t pcr = 0;

	while (pcr < TPM_REGISTER_COUNT - 1 && !(registers >> pcr & 1))
		pcr++;
	return pcr;
}

static enum kexec_status check_required(const struct boot_plan *plan, const struct tpm_outcome *outcome)
{
	if (!outcome->is_there)
		return log_error(KEXEC_DENIED,
				 "measure: required by %s: expected a TPM 2.0 or a confidential guest's registers, "
				 "found neither",
				 plan->said_by);
	if (outcome->missed)
		return log_error(KEXEC_DENIED,
				 "measure: required by %s: expected all measurements, found PCR %u without one",
				 plan->said_by, lowest(outcome->missed));
	if (outcome->is_unsure)
		return log_error(KEXEC_DENIED,
				 "measure: required by %s: expected a log that shows the kernel in PCR %u, "
				 "found one that cannot tell",
				 plan->said_by, PCR_BOOT_LOADER_CODE);
	return KEXEC_OK;
}

/* The owner of a sealed image may have sealed secrets to the registers as well. */
static enum kexec_status check(const struct boot_plan *plan, const struct tpm_outcome *outcome)
{
	if (plan->require_measurement)
		return check_required(plan, outcome);
	if (outcome->open && boot_part_is_sealed(&plan->kernel))
		return log_error(KEXEC_DENIED, "%s: expected PCR %u measured, or at least capped, found neither",
				 plan->said_by, lowest(outcome->open));
	return KEXEC_OK;
}

static void warn_of_open(uint32_t open)
{
	for (uint32_t pcr = 0; pcr < TPM_REGISTER_COUNT; pcr++) {
		if (open >> pcr & 1)
			log_warning("PCR %u is not measured and cannot be capped: this boot can give it the value of "
				    "any other",
				    pcr);
	}
}

enum kexec_status measure_finish(const struct boot_plan *plan)
{
	struct tpm_outcome outcome = tpm_outcome();
	enum kexec_status status;

	/* A boot that ends here leaves an unused register as it is, for the next loader. */
	status = check(plan, &outcome);
	if (status)
		return status;
	cap_unused();
	outcome = tpm_outcome();
	status = check(plan, &outcome);
	if (!status)
		warn_of_open(outcome.open);
	return status;
}
