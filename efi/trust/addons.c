// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads addons. Each is read once, and its sections are hashed before the platform judges it. Sections that are used
 * later are compared with these digests, so the verdict is about the bytes that run.
 */
#include "efi/trust/addons.h"

#include "boot/kernel_format.h"
#include "boot/log.h"
#include "boot/unified_hasher.h"
#include "boot/unified_options.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/source/stream.h"
#include "efi/trust/secureboot.h"
#include "efi/trust/verify.h"

/* More than microcode and an initrd need. */
#define ADDON_SIZE_MAX (1u << 30)

struct addon {
	char path[VOLUME_PATH_SIZE + SIDECAR_NAME_MAX + 1];
	const char *name; /* the end of the path */
	uint64_t size;
	struct unified_view view;
	struct unified_hasher hasher;
};

static enum kexec_status read_addon(struct extras *extras, struct addon *addon)
{
	enum kexec_status status;
	struct stream stream;
	void *memory;

	status = stream_open(&extras->volume.source, addon->path, &stream);
	if (status)
		return status;
	addon->size = stream.file.size;
	if (addon->size > ADDON_SIZE_MAX)
		status = log_error(KEXEC_TOO_LARGE, "%s: expected an addon of at most %u bytes, found %lu", addon->path,
				   ADDON_SIZE_MAX, addon->size);
	if (!status)
		status = extras_alloc(extras, addon->size + 1, &memory);
	if (!status)
		status = stream_read(&stream, (uintptr_t)memory, addon->size, NULL);
	if (!status)
		status = stream_expect_end(&stream);
	if (!status)
		addon->view.bytes = memory;
	stream_close(&stream);
	return status;
}

/* Hashes the sections before the platform judges the addon. */
static bool find_sections(struct digest *digest, struct addon *addon)
{
	const struct pe_image image = { .bytes = addon->view.bytes, .size = addon->size, .layout = PE_FILE };

	if (pe_check_headers(addon->path, &image) || unified_addon_find(addon->path, &image, &addon->view.image))
		return false;
	addon->hasher = (struct unified_hasher){ .image = &addon->view.image, .state = digest->hash };
	unified_hasher_arrived(&addon->hasher, addon->view.bytes, addon->size);
	return true;
}

/* Asks about every addon that systemd-stub would load, because asking makes the platform measure it. */
static bool is_trusted(const struct addon *addon)
{
	const struct kernel_plan plan = { .format = &unified_image_format, .unified = addon->view.image };
	EFI_STATUS status;

	firmware_feed_watchdog();
	status = verify_ask(addon->view.bytes, addon->size);
	if (status != EFI_SUCCESS) {
		log_warning("%s: not used: expected an addon that the platform trusts, found %s", addon->path,
			    efi_status_name(status));
		return false;
	}
	return !secure_boot_may_be_on() || !kernel_check_signed(addon->path, &plan, addon->view.bytes, addon->size);
}

static bool has_section(const struct addon *addon, enum unified_part part)
{
	return addon->view.image.sections[part].size != 0;
}

/* Sections are padded with NULs. */
static struct text until_nul(struct text text)
{
	size_t length = 0;

	while (length < text.length && text.start[length])
		length++;
	return (struct text){ .start = text.start, .length = length };
}

static bool suits(const struct addon *addon, const struct kernel *kernel)
{
	struct text wanted = until_nul(unified_content(&addon->view, UNIFIED_KERNEL_VERSION));
	struct text version = until_nul(unified_content(&kernel->view, UNIFIED_KERNEL_VERSION));

	if (!wanted.length || !version.length || text_equal(wanted, version))
		return true;
	log_warning("%s: not used: expected an addon for %.*s, found one for %.*s", addon->path, TEXT_ARGS(version),
		    TEXT_ARGS(text_quote(wanted, 64)));
	return false;
}

static bool adds_something(const struct addon *addon)
{
	if (has_section(addon, UNIFIED_DEVICE_TREE))
		log_warning("%s: section .dtb is not used: device trees are not for x86", addon->path);
	if (has_section(addon, UNIFIED_COMMAND_LINE) || has_section(addon, UNIFIED_MICROCODE) ||
	    has_section(addon, UNIFIED_INITRD))
		return true;
	log_warning("%s: not used: expected a section .cmdline, .initrd or .ucode, found none", addon->path);
	return false;
}

/* Uses a copy that only we can change, and compares it with the digest of the section as it was read. */
static enum kexec_status add_options(struct extras *extras, const struct addon *addon)
{
	struct text content = unified_content(&addon->view, UNIFIED_COMMAND_LINE);
	enum kexec_status status;
	struct text options;
	void *memory;

	if (!content.length)
		return KEXEC_OK;
	status = extras_alloc(extras, content.length, &memory);
	if (status)
		return status;
	memcpy(memory, content.start, content.length);
	if (!unified_hasher_agrees(&addon->hasher, UNIFIED_COMMAND_LINE, memory))
		return log_error(KEXEC_MISMATCH, "%s: .cmdline: expected its %zu bytes as they were read, found others",
				 addon->path, content.length);
	options = until_nul((struct text){ .start = memory, .length = content.length });
	unified_make_line(memory, options.length);
	if (!text_is_utf8(options))
		return log_error(KEXEC_BAD_FORMAT, "%s: .cmdline: expected UTF-8, found other bytes", addon->path);
	return extras_add_options(extras, text_trim(options));
}

static void add_initrd(struct extras *extras, const struct addon *addon, enum unified_part part, enum extra_order order)
{
	if (!has_section(addon, part))
		return;
	extras->list[extras->count++] = (struct extra){
		.name = addon->name,
		.order = order,
		.group = EXTRA_PARAMETERS,
		.view = &addon->view,
		.part = part,
		.digest = addon->hasher.digests[part],
	};
}

static enum kexec_status load_addon(const struct kernel *kernel, struct digest *digest, struct extras *extras,
				    struct addon *addon)
{
	enum kexec_status status;
	bool is_addon;

	status = read_addon(extras, addon);
	if (status)
		return status;
	is_addon = find_sections(digest, addon);
	if (!is_trusted(addon))
		return KEXEC_OK;
	if (!is_addon) {
		log_warning("%s: not used", addon->path);
		return KEXEC_OK;
	}
	if (!suits(addon, kernel) || !adds_something(addon))
		return KEXEC_OK;
	log_info("addon %s", addon->path);
	add_initrd(extras, addon, UNIFIED_MICROCODE, EXTRA_MICROCODE);
	add_initrd(extras, addon, UNIFIED_INITRD, EXTRA_INITRD);
	return add_options(extras, addon);
}

static enum kexec_status load_from(const struct kernel *kernel, struct digest *digest, struct extras *extras,
				   const struct extras_folder *folder)
{
	enum kexec_status status = KEXEC_OK;

	for (const struct folder_name *name = folder->folder.names; !status && name; name = name->next) {
		struct addon *addon;
		void *memory;

		if (sidecar_kind(text_of_string(name->text)) != SIDECAR_ADDON)
			continue;
		status = extras_alloc(extras, sizeof(*addon), &memory);
		if (status)
			return status;
		addon = memory;
		memset(addon, 0, sizeof(*addon));
		format_text(addon->path, sizeof(addon->path), "%s\\%s", folder->path, name->text);
		addon->name = name->text;
		status = load_addon(kernel, digest, extras, addon);
	}
	return status;
}

enum kexec_status addons_load(const struct kernel *kernel, struct digest *digest, struct extras *extras)
{
	enum kexec_status status;

	if (extras->policy == EXTRAS_NONE)
		return KEXEC_OK;
	status = load_from(kernel, digest, extras, &extras->folders[EXTRAS_ADDONS_OF_ALL]);
	if (!status)
		status = load_from(kernel, digest, extras, &extras->folders[EXTRAS_OWN]);
	return status ? status : extras_add_machine_options(extras);
}
