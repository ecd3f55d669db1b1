// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instead of booting a kernel, lets the loader's own verification check it many times, each time with another bit
 * flipped: thousands of tampered kernels in one boot. Load options name the kernel, and their command line lists the
 * bytes: "START END STEP", repeatedly.
 */
#include "boot/digest.h"
#include "boot/log.h"
#include "efi/load/load.h"
#include "efi/services/firmware.h"
#include "efi/plan/find_plan.h"
#include "efi/trust/verify.h"

static struct sources sources;
static struct boot_plan plan;
static struct kexec_image kexec_image;
static struct digest digest;
static struct kernel kernel;
static uint64_t refused;
static uint64_t accepted;

static uint64_t take_number(struct text *rest)
{
	struct text word = text_take_word(rest);
	uint64_t value = 0;

	for (size_t i = 0; i < word.length; i++)
		value = 10 * value + (uint64_t)(word.start[i] - '0');
	return value;
}

/* Flips the bit as if the file had contained it so. */
static void flip(uint64_t offset)
{
	uint8_t bit = (uint8_t)(1 << offset % 8);

	((uint8_t *)kernel.file)[offset] ^= bit;
	if (offset < kernel.probe_size)
		kernel.probe[offset] ^= bit;
}

static bool is_refused(void)
{
	bool was_shown;

	return verify_kernel(&plan, &kernel, &was_shown) != KEXEC_OK;
}

static void sweep(struct text options)
{
	while (options.length) {
		uint64_t offset = take_number(&options);
		uint64_t end = take_number(&options);
		uint64_t step = take_number(&options);

		for (; step && offset < end && offset < kernel.file_size; offset += step) {
			flip(offset);
			if (is_refused()) {
				refused++;
			} else {
				accepted++;
				log_info("flips: accepted at 0x%lx", offset);
			}
			flip(offset);
		}
	}
}

static enum kexec_status load(void)
{
	const struct load_target target = { .sources = &sources, .kexec_image = &kexec_image, .digest = &digest };
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	struct attempts attempts = { 0 };
	EFI_LOADED_IMAGE *loaded;
	enum kexec_status status;

	firmware_boot_services->HandleProtocol(firmware_image, &guid, (void **)&loaded);
	sources_start(&sources, loaded);
	status = find_plan(loaded, &sources, &attempts, &plan);
	if (status)
		return status;
	status = digest_start(&digest);
	if (status)
		return status;
	return load_kernel(&plan, &target, &kernel);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	firmware_init(handle, system_table);
	if (load())
		firmware_leave(EFI_ABORTED);
	log_info("flips: as it is, the kernel is %s", is_refused() ? "refused" : "accepted");
	sweep(plan.command_line);
	log_info("flips: as it was, the kernel is %s", is_refused() ? "refused" : "accepted");
	log_info("flips: %lu refused, %lu accepted", refused, accepted);
	firmware_leave(EFI_ABORTED);
}
