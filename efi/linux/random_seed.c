// SPDX-License-Identifier: BSD-2-Clause
/* Collects a seed (UEFI specification 37.5, EFI_RNG_PROTOCOL). No copy of it exists outside the table. */
#include "efi/linux/random_seed.h"

#include "boot/log.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/services/rng.h"
#include "efi/services/variable.h"

/* The stub's request, the stub's limit for a seed of an earlier loader, and the kernel's limit. */
#define FIRMWARE_SIZE 32
#define INHERITED_SIZE_MAX 512
#define SEED_SIZE_MAX 1024
#define VARIABLE_SIZE_MAX (SEED_SIZE_MAX - FIRMWARE_SIZE - INHERITED_SIZE_MAX)

/* struct linux_efi_random_seed, include/linux/efi.h */
struct random_seed {
	uint32_t size;
	uint8_t bits[SEED_SIZE_MAX];
};

/* LINUX_EFI_RANDOM_SEED_TABLE_GUID, also the variable's vendor. */
#define SEED_GUID                                                                                                      \
	{                                                                                                              \
		0x1ce1e5bc, 0x7ceb, 0x42f2,                                                                            \
		{                                                                                                      \
			0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b                                                 \
		}                                                                                                      \
	}

static EFI_GUID seed_guid = SEED_GUID;

/* Our table once it is installed, and the number of bytes at its end that came from the loader before us. */
static struct random_seed *installed;
static size_t inherited_size;

static size_t read_firmware(uint8_t *ret_bytes)
{
	EFI_GUID raw = { 0xe43176d7, 0xb6e8, 0x4827, { 0xb7, 0x84, 0x7f, 0xfd, 0xc4, 0xb6, 0x85, 0x61 } };
	struct rng_protocol *rng = rng_find();
	EFI_STATUS status;

	if (!rng)
		return 0;
	status = rng->get_rng(rng, &raw, FIRMWARE_SIZE, ret_bytes);
	/* Not every generator offers the raw bits of its source. */
	if (status == EFI_UNSUPPORTED)
		status = rng->get_rng(rng, NULL, FIRMWARE_SIZE, ret_bytes);
	if (!EFI_ERROR(status))
		return FIRMWARE_SIZE;
	log_warning("random seed: the firmware's generator gives none: %s", efi_status_name(status));
	return 0;
}

/*
 * The previous operating system writes it, so it is non-volatile; the kernel's stub accepts any. We could not delete an
 * authenticated one.
 */
static const struct variable seed_variable = {
	.name = L"RandomSeed",
	.vendor = SEED_GUID,
	.required = VARIABLE_BOOT | VARIABLE_STORED,
	.forbidden = EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
	.size_min = 1,
	.size_max = VARIABLE_SIZE_MAX,
};

/* A seed that cannot be deleted would be used again, so it is worthless. */
static size_t take_variable(uint8_t *ret_bytes)
{
	char why[VARIABLE_EXPLANATION_SIZE];
	struct variable_reading reading;
	enum variable_state state;
	EFI_STATUS status;

	state = variable_read(&seed_variable, ret_bytes, &reading);
	if (state == VARIABLE_ABSENT)
		return 0;
	if (state != VARIABLE_FOUND) {
		variable_explain(&seed_variable, state, &reading, why);
		log_warning("random seed: cannot use the variable RandomSeed: %s", why);
		return 0;
	}
	status = variable_delete(&seed_variable);
	if (status == EFI_SUCCESS)
		return reading.size;
	memset(ret_bytes, 0, VARIABLE_SIZE_MAX);
	log_warning("random seed: cannot use the variable RandomSeed: expected to delete it, found %s",
		    efi_status_name(status));
	return 0;
}

static size_t inherit(const struct random_seed *before, uint8_t *ret_bytes)
{
	if (!before || before->size > INHERITED_SIZE_MAX)
		return 0;
	memcpy(ret_bytes, before->bits, before->size);
	return before->size;
}

static void wipe_and_free(struct random_seed *seed, size_t size)
{
	memset(seed->bits, 0, size);
	seed->size = 0;
	firmware_boot_services->FreePool(seed);
}

void random_seed_install(void)
{
	struct random_seed *before = firmware_config_table(&seed_guid);
	struct random_seed *seed;
	size_t firmware_size;
	size_t variable_size;
	size_t inherited;
	EFI_STATUS status;
	size_t size;

	/* The kernel keeps memory of this type, so a later kexec finds the table again. */
	status = firmware_boot_services->AllocatePool(EfiACPIReclaimMemory, sizeof(*seed), (void **)&seed);
	if (EFI_ERROR(status)) {
		log_warning("random seed: no memory for it: %s", efi_status_name(status));
		return;
	}
	memset(seed, 0, sizeof(*seed));
	firmware_size = read_firmware(seed->bits);
	variable_size = take_variable(seed->bits + firmware_size);
	size = firmware_size + variable_size;
	if (size == 0) {
		firmware_boot_services->FreePool(seed);
		return;
	}
	inherited = inherit(before, seed->bits + size);
	seed->size = (uint32_t)(size + inherited);
	status = firmware_boot_services->InstallConfigurationTable(&seed_guid, seed);
	if (EFI_ERROR(status)) {
		log_warning("random seed: cannot install it: %s", efi_status_name(status));
		wipe_and_free(seed, SEED_SIZE_MAX);
		return;
	}
	installed = seed;
	inherited_size = inherited;
	if (inherited)
		wipe_and_free(before, inherited);
	log_verbose("random seed: %zu bytes of the firmware, %zu of the variable RandomSeed, %zu of the loader before",
		    firmware_size, variable_size, inherited);
}

void random_seed_uninstall(void)
{
	size_t ours;

	if (!installed)
		return;
	ours = installed->size - inherited_size;
	memmove(installed->bits, installed->bits + ours, inherited_size);
	memset(installed->bits + inherited_size, 0, SEED_SIZE_MAX - inherited_size);
	installed->size = (uint32_t)inherited_size;
	/* If the firmware refuses to remove the table, it stays, empty. */
	if (!inherited_size && !EFI_ERROR(firmware_boot_services->InstallConfigurationTable(&seed_guid, NULL)))
		firmware_boot_services->FreePool(installed);
	installed = NULL;
}
