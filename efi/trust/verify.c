// SPDX-License-Identifier: BSD-2-Clause
/* Asks the platform about the kernel: EFI_BOOT_SERVICES.LoadImage (UEFI specification 7.4.1 and 32.4.2), or shim. */
#include "efi/trust/verify.h"

#include "boot/log.h"
#include "boot/pe.h"
#include "boot/unified_options.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/trust/secureboot.h"
#include "efi/trust/shim.h"

static const struct shim_image_loader *find_shim(void)
{
	EFI_GUID guid = SHIM_IMAGE_LOADER_GUID;

	return firmware_protocol(&guid);
}

static struct shim_lock *find_old_shim(void)
{
	EFI_GUID guid = SHIM_LOCK_GUID;

	return find_shim() ? NULL : firmware_protocol(&guid);
}

/* Both kinds of shim keep the size in an int. They would judge only the beginning of a larger file. */
static bool fits_shim(uint64_t size)
{
	return size <= INT32_MAX;
}

static EFI_STATUS ask_old_shim(struct shim_lock *lock, const void *bytes, uint64_t size)
{
	return fits_shim(size) ? lock->verify(bytes, (uint32_t)size) : EFI_BAD_BUFFER_SIZE;
}

/*
 * LoadImage verifies the image that it loads. It gets no device path: policy may depend on where an image comes from,
 * and an image without a path gets the strictest. We do not need the copy that it loads, which may exist even if the
 * answer is no (SECURITY_VIOLATION leaves a handle behind).
 */
static EFI_STATUS ask_by_loading(EFI_IMAGE_LOAD load, EFI_IMAGE_UNLOAD unload, const void *bytes, uint64_t size)
{
	EFI_HANDLE handle = NULL;
	EFI_STATUS status;

	status = load(FALSE, firmware_image, NULL, (void *)bytes, size, &handle);
	if (handle)
		unload(handle);
	return status;
}

/* A shim that does not judge accepts everything, so then the firmware is asked. */
EFI_STATUS verify_ask(const void *bytes, uint64_t size)
{
	bool shim_judges = secure_boot_shim_judges();
	const struct shim_image_loader *shim = find_shim();
	struct shim_lock *old_shim = find_old_shim();

	if (shim_judges && shim)
		return fits_shim(size) ? ask_by_loading(shim->load, shim->unload, bytes, size) : EFI_BAD_BUFFER_SIZE;
	if (shim_judges && old_shim)
		return ask_old_shim(old_shim, bytes, size);
	return ask_by_loading(firmware_boot_services->LoadImage, firmware_boot_services->UnloadImage, bytes, size);
}

/*
 * Two answers are about trust (UEFI specification 7.4.1), and two about the machine. All others mean that the platform
 * could not judge the kernel, which is as bad as distrust: shim reports INVALID_PARAMETER for a damaged signature.
 */
static enum kexec_status refuse(const struct kernel *kernel, EFI_STATUS status)
{
	if (status == EFI_SECURITY_VIOLATION || status == EFI_ACCESS_DENIED)
		return log_error(KEXEC_DENIED, "%s: signature: expected one that the platform trusts, found %s%s",
				 kernel->part->name, efi_status_name(status),
				 pe_has_certificates(kernel->file, kernel->file_size) ? "" : ": the file has none");
	if (status == EFI_OUT_OF_RESOURCES)
		return log_error(KEXEC_NO_MEMORY,
				 "%s: signature: expected memory for the platform to load %lu bytes, found %s",
				 kernel->part->name, kernel->file_size, efi_status_name(status));
	return log_error(status == EFI_DEVICE_ERROR ? KEXEC_IO : KEXEC_DENIED,
			 "%s: signature: expected one that the platform can check, found %s", kernel->part->name,
			 efi_status_name(status));
}

static enum kexec_status check_signature(const struct kernel *kernel)
{
	EFI_STATUS status;

	firmware_feed_watchdog();
	status = verify_ask(kernel->file, kernel->file_size);
	if (status != EFI_SUCCESS)
		return refuse(kernel, status);
	/* boot_params was made from the probe, so the probe must have the bytes that the platform has just judged. */
	if (memcmp(kernel->file, kernel->probe, kernel->probe_size) != 0)
		return log_error(KEXEC_MISMATCH, "%s: expected its first %zu bytes as they were read, found others",
				 kernel->part->name, kernel->probe_size);
	return kernel_check_signed(kernel->part->name, &kernel->plan, kernel->file, kernel->file_size);
}

/*
 * Before version 16 shim blocks ExitBootServices until it has verified a kernel. That is the only reason to ask it
 * about a sealed kernel. Returns whether it was asked.
 */
static bool satisfy_old_shim(const struct kernel *kernel)
{
	struct shim_lock *old_shim = find_old_shim();

	if (!old_shim || !fits_shim(kernel->file_size))
		return false;
	ask_old_shim(old_shim, kernel->file, kernel->file_size);
	return true;
}

/* Refuses if a signature is required and the platform's verdict cannot be relied on. */
static enum kexec_status check_requirement(const struct boot_plan *plan, const struct kernel *kernel)
{
	char found[SECURE_BOOT_EXPLANATION_SIZE];

	if ((!ENFORCE_SIGNATURE && !plan->require_signature) || secure_boot_is_on())
		return KEXEC_OK;
	secure_boot_explain(found);
	return log_error(KEXEC_DENIED, "%s: signature: required by %s: expected Secure Boot on, %s", kernel->part->name,
			 plan->require_signature ? plan->said_by : "this build (ENFORCE_SIGNATURE)", found);
}

static void warn_if_unknown(void)
{
	char found[SECURE_BOOT_EXPLANATION_SIZE];

	if (secure_boot_is_on())
		return;
	secure_boot_explain(found);
	log_warning("Secure Boot: expected it on or off, %s; taken for on", found);
}

enum kexec_status verify_kernel(const struct boot_plan *plan, const struct kernel *kernel, bool *ret_was_shown)
{
	enum kexec_status status;

	*ret_was_shown = false;
	status = check_requirement(plan, kernel);
	if (status || !secure_boot_may_be_on())
		return status;
	warn_if_unknown();
	if (!boot_part_is_sealed(kernel->part) || plan->require_signature) {
		status = unified_check_additions(plan, &kernel->plan.unified);
		if (status)
			return status;
		*ret_was_shown = true;
		return check_signature(kernel);
	}
	*ret_was_shown = satisfy_old_shim(kernel);
	return KEXEC_OK;
}
