// SPDX-License-Identifier: BSD-2-Clause
/* Looks in our image, in the load options and in the file beside the image. */
#include "efi/plan/find_plan.h"

#include "boot/entry.h"
#include "boot/entry_file.h"
#include "boot/imagepath.h"
#include "boot/loadoptions.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "boot/sealed_image.h"
#include "boot/stub_request.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/plan/own_options.h"
#include "efi/source/self.h"
#include "efi/source/stream.h"

/* Longest quote of a wrong value in a message. */
#define QUOTE_MAX 60

/* The path of the first entry file: the one that the load options name, or the one beside the image. */
static enum kexec_status find_path(const EFI_LOADED_IMAGE *image, const struct load_options *options,
				   struct sources *sources, char ret_path[FALLBACK_PATH_SIZE])
{
	const void *nodes = image->FilePath;
	struct text path = options->entry_path;

	if (path.length >= FALLBACK_PATH_SIZE)
		return log_error(KEXEC_TOO_LARGE, "load options: entry=: expected at most %u bytes, found %zu",
				 FALLBACK_PATH_SIZE - 1, path.length);
	if (path.length) {
		memcpy(ret_path, path.start, path.length);
		ret_path[path.length] = '\0';
		return KEXEC_OK;
	}
	if (sources_origin(sources) == PART_ON_NETWORK)
		return network_entry_name(&sources->network, nodes, ret_path, FALLBACK_PATH_SIZE);
	if (!nodes)
		return log_error(KEXEC_NOT_FOUND,
				 "expected to be started from a file, found no path to look for a .conf beside");
	return image_path_conf(nodes, device_path_size(nodes), ret_path, FALLBACK_PATH_SIZE);
}

static enum kexec_status read_whole(struct stream *stream, void *buffer)
{
	enum kexec_status status = stream_read(stream, (uintptr_t)buffer, stream->file.size, NULL);

	return status ? status : stream_expect_end(stream);
}

static enum kexec_status plan_stream(struct stream *stream, struct text more, char ret_fallback[FALLBACK_PATH_SIZE],
				     struct boot_plan *ret_plan)
{
	const char *path = stream->file.name;
	enum kexec_status status;
	struct text text;
	void *buffer;

	status = entry_file_check_size(path, stream->file.size);
	if (status)
		return status;
	/* The pool cannot allocate 0 bytes. */
	status = pool_alloc(stream->file.size + 1, path, &buffer);
	if (status)
		return status;
	text = (struct text){ .start = buffer, .length = stream->file.size };
	status = read_whole(stream, buffer);
	if (!status)
		status = entry_file_to_plan(path, text, more, ret_fallback, ret_plan);
	pool_free(buffer);
	return status;
}

/* If the load options name an entry file and a volume, the file and its paths are on that volume. */
static enum kexec_status go_to_volume(const struct load_options *options, struct sources *sources)
{
	char volume[PARTUUID_SIZE];

	if (!options->volume.length || !options->entry_path.length)
		return KEXEC_OK;
	if (!volume_parse(options->volume, volume))
		return log_error(KEXEC_BAD_FORMAT, "load options: volume=: expected %s, found \"%.*s\"",
				 volume_expected(options->volume), TEXT_ARGS(text_quote(options->volume, QUOTE_MAX)));
	return sources_use_volume(sources, volume);
}

/* Where the entry file is: beside our image, or on the volume that the load options name with it. */
static struct source *entry_source(const struct load_options *options, struct sources *sources)
{
	bool is_on_volume = options->volume.length && options->entry_path.length;

	return sources_find(sources, is_on_volume ? PART_ON_VOLUME : sources_origin(sources));
}

/* QEMU's volume has no entry file, and nobody can put one there. */
static enum kexec_status refuse_qemu(void)
{
	return log_error(KEXEC_NOT_FOUND, "QEMU: expected -shim with this image and -kernel with Linux (QEMU 10), or "
					  "-kernel with a unified image, found nothing to boot");
}

/*
 * Looks for a fallback in the place where the entry was found that names it, even if that entry names another volume
 * for its kernel: the volume may be the reason for the refusal. Lines from the load options are added to each entry, so
 * a policy in them applies to all entries.
 */
static enum kexec_status plan_file(const EFI_LOADED_IMAGE *image, const struct load_options *options,
				   struct sources *sources, struct attempt *attempt, struct boot_plan *ret_plan)
{
	enum kexec_status status = KEXEC_OK;
	struct stream stream;

	if (!options->entry_path.length && own_volume_is_qemu(image))
		return refuse_qemu();
	if (!attempt->path[0])
		status = find_path(image, options, sources, attempt->path);
	if (!status)
		status = go_to_volume(options, sources);
	if (status)
		return status;
	status = stream_open(entry_source(options, sources), attempt->path, &stream);
	if (status)
		return status;
	status = plan_stream(&stream, options->lines, attempt->next, ret_plan);
	stream_close(&stream);
	return status;
}

static enum kexec_status plan_from_outside(const EFI_LOADED_IMAGE *image, struct sources *sources,
					   struct attempt *attempt, struct boot_plan *ret_plan)
{
	struct load_options options;
	enum kexec_status status;
	void *buffer;

	status = own_options_read(image, &buffer, &options);
	if (status)
		return status;
	if (options.has_linux)
		status = entry_to_plan("load options", options.lines, ENTRY_OF_LOAD_OPTIONS, ret_plan);
	else
		status = plan_file(image, &options, sources, attempt, ret_plan);
	if (!status)
		ret_plan->skipped_options = options.skipped;
	pool_free(buffer);
	return status;
}

/*
 * The program that starts the image chooses the profile, as with systemd-stub. It also chooses the command line of an
 * image that has none, unless tools/seal has marked the image: then the image boots without one.
 */
static enum kexec_status plan_request(const struct stub_request *request, struct section_source *sections,
				      struct attempts *attempts, struct boot_plan *ret_plan)
{
	const struct sealed_choice choice = {
		.entry = attempts->index,
		.profile = request->profile,
		.options = self_is_marked() ? TEXT("") : request->command_line,
	};
	enum kexec_status status;

	attempts->sealed = sealed_image_entries(&sections->image);
	sections->profile = request->profile;
	status = sealed_image_to_plan(&sections->image, &choice, ret_plan);
	if (status)
		return status;
	if (!attempts->index)
		stub_request_check(request, ret_plan);
	return KEXEC_OK;
}

static enum kexec_status plan_sealed(const EFI_LOADED_IMAGE *image, struct sources *sources, struct attempts *attempts,
				     struct boot_plan *ret_plan)
{
	struct stub_request request;
	enum kexec_status status;
	void *buffer;

	status = own_options_read_request(image, &buffer, &request);
	if (status)
		return status;
	status = plan_request(&request, &sources->image, attempts, ret_plan);
	pool_free(buffer);
	return status;
}

static enum kexec_status find_anywhere(const EFI_LOADED_IMAGE *image, struct sources *sources,
				       struct attempts *attempts, struct boot_plan *ret_plan)
{
	enum kexec_status status = self_check(image);

	if (status)
		return status;
	switch (sealed_image_found(&sources->image.image, self_is_marked())) {
	case NOT_SEALED:
		return plan_from_outside(image, sources, attempts_current(attempts), ret_plan);
	case SEALED:
		return plan_sealed(image, sources, attempts, ret_plan);
	case SEAL_UNREADABLE:
		break;
	}
	return KEXEC_DENIED;
}

/*
 * Whether the registered initrd only repeats files of the volume, as with iPXE. iPXE's volume has all images that it
 * has fetched as files, and its registered initrd is all of them in a row, even a kernel (interface/efi/efi_file.c).
 * Its block device is a dummy with blocks of one byte.
 */
static bool initrds_are_registered_files(const EFI_LOADED_IMAGE *image, const struct sources *sources,
					 const struct boot_plan *plan)
{
	EFI_GUID guid = BLOCK_IO_PROTOCOL;
	const EFI_BLOCK_IO_PROTOCOL *device = firmware_protocol_on(image->DeviceHandle, &guid);
	bool is_disk = device && device->Media && device->Media->BlockSize > 1;

	return plan->initrd_count && !plan->volume[0] && sources_origin(sources) == PART_ON_VOLUME && !is_disk &&
	       !own_volume_is_qemu(image);
}

/* Adds it in front of all others, as systemd-stub 261 does. */
static enum kexec_status add_registered_initrd(const EFI_LOADED_IMAGE *image, struct sources *sources,
					       struct boot_plan *plan)
{
	const struct boot_part part = {
		.name = REGISTERED_INITRD,
		.source = PART_FROM_LOADER,
		.trust = TRUST_NOBODY,
	};
	enum kexec_status status;
	uint64_t size;

	status = registered_initrd_size(&sources->registered, &size);
	if (status || !size)
		return status;
	if (boot_part_is_sealed(&plan->kernel))
		return log_error(KEXEC_DENIED,
				 REGISTERED_INITRD ": expected none, since this image boots only what is sealed in it, "
						   "found one of %lu bytes from the program that started it",
				 size);
	if (initrds_are_registered_files(image, sources, plan))
		log_info(REGISTERED_INITRD ": not loaded: its files are on this volume, where %s names initrds",
			 plan->said_by);
	else
		boot_plan_put_first(plan, &part);
	return KEXEC_OK;
}

enum kexec_status find_plan(const EFI_LOADED_IMAGE *image, struct sources *sources, struct attempts *attempts,
			    struct boot_plan *ret_plan)
{
	enum kexec_status status;
	struct boot_plan plan;

	status = find_anywhere(image, sources, attempts, &plan);
	if (status)
		return status;
	if (sources_origin(sources) == PART_ON_NETWORK && !plan.volume[0])
		boot_plan_use_network(&plan);
	status = add_registered_initrd(image, sources, &plan);
	if (status)
		boot_plan_free(&plan);
	else
		*ret_plan = plan;
	return status;
}
