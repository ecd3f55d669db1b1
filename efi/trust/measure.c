// SPDX-License-Identifier: BSD-2-Clause
/* Says what is measured as what. */
#include "efi/trust/measure.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/trust/tpm.h"

enum {
	PCR_BOOT_LOADER_CODE = 4, /* TCG PC Client Platform Firmware Profile Specification, 3.3.4 */
	PCR_INITRD = 9,		  /* as the kernel's EFI stub (libstub/efi-stub-helper.c) */
	PCR_UNIFIED_IMAGE = 11,	  /* systemd-stub's: uapi-group.org, Linux TPM PCR Registry */
	PCR_CONFIGURATION = 12,	  /* as systemd-boot and systemd-stub: systemd.io/TPM2_PCR_MEASUREMENTS */
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

/* The platform was to measure the kernel, and nobody knows whether it has. */
static bool kernel_is_doubtful;

void measure_start(void)
{
	kernel_is_doubtful = false;
	tpm_find();
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
		.log = &log,
		.log_size = sizeof(log),
	};

	if (was_shown) {
		switch (tpm_find_application()) {
		case TPM_LOG_HOLDS:
			return;
		case TPM_LOG_LACKS:
			break;
		case TPM_LOG_UNKNOWN:
			/*
			 * Firmware extends the register whether its log has room or not. To extend it again would be
			 * wrong wherever firmware keeps to the specification, and lock its users out. Not to is wrong
			 * only where it does not, and then the register lacks a kernel that has been vouched for.
			 */
			kernel_is_doubtful = true;
			log_verbose("TPM: the log does not tell whether the kernel is in it: taken for measured");
			return;
		}
	}
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
 * UTF-8 has no such form and is measured as it is.
 */
static void measure_command_line(const struct kexec_segment *cmdline)
{
	struct text text = { .start = phys_to_ptr(cmdline->mem), .length = cmdline->bufsz - 1 };
	struct tpm_event event = {
		.what = "command line",
		.pcr = PCR_CONFIGURATION,
		.type = TPM_EVENT_IPL,
		.bytes = text.start,
		.size = cmdline->bufsz,
	};
	uint16_t *wide = NULL;

	if (!EFI_ERROR(firmware_boot_services->AllocatePool(EfiLoaderData, cmdline->bufsz * sizeof(*wide),
							    (void **)&wide)) &&
	    text_to_utf16(text, wide, cmdline->bufsz)) {
		size_t units = 0;

		while (wide[units])
			units++;
		event.bytes = wide;
		event.size = (units + 1) * sizeof(*wide);
	}
	event.log = event.bytes;
	event.log_size = (uint32_t)event.size;
	tpm_measure(&event);
	if (wide)
		firmware_boot_services->FreePool(wide);
}

/* 11 is what policies for unified images are about: a boot that is none must not leave it to an initrd. */
static void close_registers(bool has_initrd)
{
	if (!has_initrd)
		tpm_close_register(PCR_INITRD);
	tpm_close_register(PCR_UNIFIED_IMAGE);
}

void measure_rest(const struct boot_plan *plan, const struct kexec_segment *initrd, const struct kexec_segment *cmdline)
{
	measure_text(plan->text);
	if (initrd)
		measure_initrd(initrd);
	measure_command_line(cmdline);
	close_registers(initrd != NULL);
}

static enum kexec_status refuse(const struct boot_plan *plan, const char *found)
{
	return log_error(KEXEC_DENIED, "measurement: required by %s: expected all of it in the TPM, found %s",
			 plan->said_by, found);
}

enum kexec_status measure_check(const struct boot_plan *plan)
{
	enum tpm_state state = tpm_finish();

	if (plan->require_measurement) {
		if (state == TPM_ABSENT)
			return refuse(plan, "no TPM");
		if (state != TPM_MEASURED)
			return refuse(plan, "that something could not be measured");
		if (kernel_is_doubtful)
			return refuse(plan, "a log that does not tell whether the kernel is in it");
	}
	if (state != TPM_OPEN)
		return KEXEC_OK;
	if (boot_part_is_sealed(&plan->kernel))
		return log_error(KEXEC_DENIED, "measurement: expected registers that are measured or capped, "
					       "found one that could still become anything");
	log_warning("TPM: a register could still become anything: who relies on the TPM should not trust this boot");
	return KEXEC_OK;
}
