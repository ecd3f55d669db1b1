// SPDX-License-Identifier: BSD-2-Clause
/* Says what is measured as what, and what a boot may do without. */
#include "efi/measure/measure.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/measure/tpm.h"
#include "efi/services/firmware.h"

enum {
	PCR_BOOT_LOADER_CODE = 4, /* TCG PC Client Platform Firmware Profile Specification, 3.3.4 */
	PCR_INITRD = 9,		  /* as the kernel's EFI stub (libstub/efi-stub-helper.c) */
	PCR_UNIFIED_IMAGE = 11,	  /* systemd-stub's: systemd.io/TPM2_PCR_MEASUREMENTS */
	PCR_CONFIGURATION = 12,	  /* as systemd-boot and systemd-stub: the same page */
};

#define INITRD_TAG 0x8f3b22ecu /* INITRD_EVENT_TAG_ID of the same file */
#define ENTRY_TAG 0x6b786566u  /* our own */

/* UEFI_IMAGE_LOAD_EVENT, without a device path */
struct image_load_event {
	uint64_t addr;
	uint64_t size;
	uint64_t link_addr;
	uint64_t path_size;
};

/* TCG_PCClientTaggedEvent */
struct tagged_event {
	uint32_t id;
	uint32_t size;
	char text[16];
};

void measure_start(void)
{
	tpm_find();
}

bool measure_is_possible(void)
{
	return tpm_outcome().is_there;
}

void measure_kernel(const struct kernel *kernel, bool was_shown)
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

static void measure_tagged(const char *what, uint32_t pcr, const void *bytes, uint64_t size,
			   const struct tagged_event *log)
{
	struct tpm_event event = {
		.what = what,
		.pcr = pcr,
		.type = TPM_EVENT_TAG,
		.bytes = bytes,
		.size = size,
		.log = log,
		.log_size = (uint32_t)offsetof(struct tagged_event, text) + log->size,
	};

	tpm_measure(&event);
}

static void measure_text(struct text text)
{
	static const struct tagged_event log = { .id = ENTRY_TAG,
						 .size = sizeof("kexec-efi entry"),
						 .text = "kexec-efi entry" };

	measure_tagged("entry", PCR_CONFIGURATION, text.start, text.length, &log);
}

static void measure_initrd(const struct kexec_segment *initrd)
{
	static const struct tagged_event log = { .id = INITRD_TAG,
						 .size = sizeof("Linux initrd"),
						 .text = "Linux initrd" };

	measure_tagged("initrd", PCR_INITRD, phys_to_ptr(initrd->mem), initrd->bufsz, &log);
}

/*
 * In UTF-16 with its NUL, as systemd-boot and systemd-stub measure it, so that one rule serves for all. What is not
 * UTF-8 has no such form and is measured as it is. Without memory to tell, it is not measured.
 */
static void measure_command_line(const struct kexec_segment *cmdline)
{
	struct text text = { .start = phys_to_ptr(cmdline->mem), .length = cmdline->bufsz - 1 };
	struct tpm_event event = { .what = "command line", .pcr = PCR_CONFIGURATION, .type = TPM_EVENT_IPL };
	uint16_t *wide = NULL;

	if (firmware_boot_services->AllocatePool(EfiLoaderData, cmdline->bufsz * sizeof(*wide), (void **)&wide) !=
	    EFI_SUCCESS) {
		tpm_measure(&event);
		return;
	}
	if (text_to_utf16(text, wide, cmdline->bufsz)) {
		size_t units = 0;

		while (wide[units])
			units++;
		event.bytes = wide;
		event.size = (units + 1) * sizeof(*wide);
	} else {
		event.bytes = text.start;
		event.size = cmdline->bufsz;
	}
	event.log = event.bytes;
	event.log_size = (uint32_t)event.size;
	tpm_measure(&event);
	firmware_boot_services->FreePool(wide);
}

void measure_rest(const struct boot_plan *plan, const struct kexec_segment *initrd, const struct kexec_segment *cmdline)
{
	measure_text(plan->text);
	if (initrd)
		measure_initrd(initrd);
	measure_command_line(cmdline);
}

/* Ends a register that this boot has nothing for, as firmware ends its own: EV_SEPARATOR with the value 0. */
static void measure_nothing(uint32_t pcr)
{
	static const uint32_t no_error = 0;
	const struct tpm_event event = tpm_separator("separator", pcr, &no_error);

	tpm_measure(&event);
}

/*
 * A register that still has the value of the reset can be led anywhere. 11 is expected by whoever signs the values of
 * unified images that systemd-stub measures; this loader measures none into it.
 */
static void cap_unused(const struct kexec_segment *initrd)
{
	if (!initrd)
		measure_nothing(PCR_INITRD);
	measure_nothing(PCR_UNIFIED_IMAGE);
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
				 "measure: required by %s: expected a log that tells of the kernel in PCR %u, "
				 "found one that does not tell",
				 plan->said_by, PCR_BOOT_LOADER_CODE);
	return KEXEC_OK;
}

/* Whoever seals an image may have sealed secrets to it as well. */
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

enum kexec_status measure_finish(const struct boot_plan *plan, const struct kexec_segment *initrd)
{
	struct tpm_outcome outcome = tpm_outcome();
	enum kexec_status status;

	/* A boot that ends here leaves register 11 as it is, for the next loader. */
	status = check(plan, &outcome);
	if (status)
		return status;
	cap_unused(initrd);
	outcome = tpm_outcome();
	status = check(plan, &outcome);
	if (!status)
		warn_of_open(outcome.open);
	return status;
}
