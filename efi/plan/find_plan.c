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

/* The longest path of an entry file, in bytes with its NUL. */
#define PATH_SIZE 256

/* How much of a wrong value a message quotes. */
#define QUOTE_MAX 60

/* The path of the entry file: the one that the load options name, or the one beside the image. */
static enum kexec_status find_path(const EFI_LOADED_IMAGE *image, const struct load_options *options,
				   struct sources *sources, char ret_path[PATH_SIZE])
{
	const void *nodes = image->FilePath;
	struct text path = options->entry_path;

	if (path.length >= PATH_SIZE)
		return log_error(KEXEC_TOO_LARGE, "load options: entry=: expected at most %u bytes, found %zu",
				 PATH_SIZE - 1, path.length);
	if (path.length) {
		memcpy(ret_path, path.start, path.length);
		ret_path[path.length] = '\0';
		return KEXEC_OK;
	}
	if (sources_origin(sources) == PART_ON_NETWORK)
		return network_entry_name(&sources->network, nodes, ret_path, PATH_SIZE);
	if (!nodes)
		return log_error(KEXEC_NOT_FOUND,
				 "expected to be started from a file, found no path to look for a .conf beside");
	return image_path_conf(nodes, device_path_size(nodes), ret_path, PATH_SIZE);
}

static enum kexec_status read_whole(struct stream *stream, void *buffer)
{
	enum kexec_status status = stream_read(stream, (uintptr_t)buffer, stream->file.size, NULL);

	return status ? status : stream_expect_end(stream);
}

static enum kexec_status plan_stream(struct stream *stream, struct text more, struct boot_plan *ret_plan)
{
	const char *path = stream->file.name;
	char fallback[FALLBACK_PATH_SIZE];
	enum kexec_status status;
	struct text text;
	void *buffer;

	if (stream->file.size >= ENTRY_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes, found %lu", path, ENTRY_SIZE_MAX - 1,
				 stream->file.size);
	/* The pool has no pieces of 0 bytes. */
	status = pool_alloc(stream->file.size + 1, path, &buffer);
	if (status)
		return status;
	text = (struct text){ .start = buffer, .length = stream->file.size };
	status = read_whole(stream, buffer);
	if (!status)
		status = entry_file_to_plan(path, text, more, fallback, ret_plan);
	pool_free(buffer);
	return status;
}

/* The volume that the load options name is that of the entry file that they name, and of its paths. */
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

/* Its volume has no entry, and nobody can put one there. */
static enum kexec_status refuse_qemu(void)
{
	return log_error(KEXEC_NOT_FOUND, "QEMU: expected -shim with this image and -kernel with Linux (QEMU 10), or "
					  "-kernel with a unified image, found nothing to boot");
}

static enum kexec_status plan_file(const EFI_LOADED_IMAGE *image, const struct load_options *options,
				   struct sources *sources, struct boot_plan *ret_plan)
{
	char path[PATH_SIZE];
	enum kexec_status status;
	struct stream stream;

	if (!options->entry_path.length && own_volume_is_qemu(image))
		return refuse_qemu();
	status = find_path(image, options, sources, path);
	if (!status)
		status = go_to_volume(options, sources);
	if (status)
		return status;
	status = stream_open(entry_source(options, sources), path, &stream);
	if (status)
		return status;
	status = plan_stream(&stream, options->lines, ret_plan);
	stream_close(&stream);
	return status;
}

static enum kexec_status plan_from_outside(const EFI_LOADED_IMAGE *image, struct sources *sources,
					   struct boot_plan *ret_plan)
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
		status = plan_file(image, &options, sources, ret_plan);
	if (!status)
		ret_plan->skipped_options = options.skipped;
	pool_free(buffer);
	return status;
}

/*
 * Which of the sealed profiles boots is for whoever starts the image to say, as of systemd-stub. So is the command line
 * of an image that has none, unless tools/seal has marked the image: then it boots as it is.
 */
static enum kexec_status plan_request(const struct stub_request *request, struct section_source *sections,
				      struct boot_plan *ret_plan)
{
	struct text options = self_is_marked() ? TEXT("") : request->command_line;
	enum kexec_status status;

	sections->profile = request->profile;
	status = sealed_image_to_plan(&sections->image, request->profile, options, ret_plan);
	if (status)
		return status;
	if (!ret_plan->options_are_added && !stub_request_repeats(request, ret_plan->command_line))
		log_warning("load options ignored: what this image boots is sealed in it");
	return KEXEC_OK;
}

static enum kexec_status plan_sealed(const EFI_LOADED_IMAGE *image, struct sources *sources, struct boot_plan *ret_plan)
{
	struct stub_request request;
	enum kexec_status status;
	void *buffer;

	status = own_options_read_request(image, &buffer, &request);
	if (status)
		return status;
	status = plan_request(&request, &sources->image, ret_plan);
	pool_free(buffer);
	return status;
}

static enum kexec_status find_anywhere(const EFI_LOADED_IMAGE *image, struct sources *sources,
				       struct boot_plan *ret_plan)
{
	enum kexec_status status = self_check(image);

	if (status)
		return status;
	switch (sealed_image_found(&sources->image.image, self_is_marked())) {
	case NOT_SEALED:
		return plan_from_outside(image, sources, ret_plan);
	case SEALED:
		return plan_sealed(image, sources, ret_plan);
	case SEAL_UNREADABLE:
		break;
	}
	return KEXEC_DENIED;
}

/*
 * iPXE's volume has all images that it has fetched as files, and what iPXE registers is all of them in a row, even a
 * kernel (interface/efi/efi_file.c). Its block device is a dummy with blocks of one byte.
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

/* As systemd-stub 261 does, in front of all others. */
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
				 REGISTERED_INITRD ": expected none, since what this image boots is sealed in it, "
						   "found one of %lu bytes from the program that started it",
				 size);
	if (initrds_are_registered_files(image, sources, plan))
		log_info(REGISTERED_INITRD ": not loaded: its files are on this volume, where %s names initrds",
			 plan->said_by);
	else
		boot_plan_put_first(plan, &part);
	return KEXEC_OK;
}

enum kexec_status find_plan(const EFI_LOADED_IMAGE *image, struct sources *sources, struct boot_plan *ret_plan)
{
	enum kexec_status status;
	struct boot_plan plan;

	status = find_anywhere(image, sources, &plan);
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
