// SPDX-License-Identifier: BSD-2-Clause
/* Decides which initrds are made here. load_extra.c writes their content. */
#include "efi/extras/extras.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"

/* The archives of sidecars, in systemd-stub's order. */
static const struct {
	enum extras_place place;
	enum sidecar sidecar;
	struct cpio_folder archive;
	enum extra_group group;
	const char *event;
} archives[] = {
	{ EXTRAS_OWN,
	  SIDECAR_CREDENTIAL,
	  { ".extra/credentials", 0500, 0400 },
	  EXTRA_PARAMETERS,
	  "Credentials initrd" },
	{ EXTRAS_CREDENTIALS_OF_ALL,
	  SIDECAR_CREDENTIAL,
	  { ".extra/global_credentials", 0500, 0400 },
	  EXTRA_PARAMETERS,
	  "Global credentials initrd" },
	{ EXTRAS_OWN, SIDECAR_SYSEXT, { ".extra/sysext", 0555, 0444 }, EXTRA_SYSEXTS, "System extension initrd" },
	{ EXTRAS_EXTENSIONS_OF_ALL,
	  SIDECAR_SYSEXT,
	  { ".extra/global_sysext", 0555, 0444 },
	  EXTRA_SYSEXTS,
	  "Global system extension initrd" },
	{ EXTRAS_OWN,
	  SIDECAR_CONFEXT,
	  { ".extra/confext", 0555, 0444 },
	  EXTRA_CONFEXTS,
	  "Configuration extension initrd" },
	{ EXTRAS_EXTENSIONS_OF_ALL,
	  SIDECAR_CONFEXT,
	  { ".extra/global_confext", 0555, 0444 },
	  EXTRA_CONFEXTS,
	  "Global configuration extension initrd" },
};

/* Sections for user space, each in an archive, in systemd-stub's order. */
static const struct {
	enum unified_part part;
	const char *file_name;
} sections[] = {
	{ UNIFIED_SIGNATURE, "tpm2-pcr-signature.json" },
	{ UNIFIED_PUBLIC_KEY, "tpm2-pcr-public-key.pem" },
	{ UNIFIED_OS_RELEASE, "os-release" },
	{ UNIFIED_PROFILE, "profile" },
};

static const struct cpio_folder section_archive = { ".extra", 0555, 0444 };

static const char *const paths[EXTRAS_PLACES] = {
	[EXTRAS_ADDONS_OF_ALL] = "\\loader\\addons",
	[EXTRAS_CREDENTIALS_OF_ALL] = "\\loader\\credentials",
	[EXTRAS_EXTENSIONS_OF_ALL] = "\\loader\\extensions",
};

/* A list of pool allocations. */
struct extras_memory {
	struct extras_memory *next;
	_Alignas(uint64_t) uint8_t bytes[];
};

enum kexec_status extras_alloc(struct extras *extras, size_t size, void **ret_memory)
{
	struct extras_memory *piece;
	enum kexec_status status;
	void *memory;

	status = pool_alloc(sizeof(*piece) + size, "extra initrds", &memory);
	if (status)
		return status;
	piece = memory;
	piece->next = extras->memory;
	extras->memory = piece;
	*ret_memory = piece->bytes;
	return KEXEC_OK;
}

static enum extras_policy policy_of(const struct extras_request *request)
{
	if (request->kernel->trust == TRUST_DIGEST)
		return EXTRAS_ADDONS;
	return request->view ? EXTRAS_ALL : EXTRAS_NONE;
}

/* A server has no folders. */
static bool is_on_network(const struct boot_part *kernel, const struct sources *sources)
{
	return kernel->source == PART_ON_NETWORK ||
	       (boot_part_is_sealed(kernel) && sources_origin(sources) == PART_ON_NETWORK);
}

/* The folder of our own image. If its path is unknown, there are no files beside it. */
static void find_own_folder(char ret_path[VOLUME_PATH_SIZE])
{
	static const EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	const EFI_LOADED_IMAGE *image = firmware_protocol_on(firmware_image, &guid);
	char path[VOLUME_PATH_SIZE];

	if (!image || !image->FilePath ||
	    !image_path(image->FilePath, device_path_size(image->FilePath), path, sizeof(path)) ||
	    !sidecar_folder(text_of_string(path), ret_path, VOLUME_PATH_SIZE))
		ret_path[0] = '\0';
}

/* The sidecars of a part sealed in our image lie beside our image, even if the entry finds its files elsewhere. */
static void find_places(const struct boot_part *kernel, const struct sources *sources, struct extras *extras)
{
	char *own = extras->folders[EXTRAS_OWN].path;

	for (size_t i = 0; i < EXTRAS_PLACES; i++) {
		if (paths[i])
			memcpy(extras->folders[i].path, paths[i], strlen(paths[i]) + 1);
	}
	if (boot_part_is_sealed(kernel)) {
		volume_start(&extras->volume, sources->own_device, VOLUME_OWN);
		find_own_folder(own);
	} else {
		volume_start(&extras->volume, sources->volume.device, sources->volume.role);
		if (!sidecar_folder(text_of_string(kernel->name), own, VOLUME_PATH_SIZE))
			own[0] = '\0';
	}
}

static size_t count_kind(const struct extras_folder *folder, enum sidecar kind)
{
	size_t count = 0;

	for (const struct folder_name *name = folder->folder.names; name; name = name->next)
		count += sidecar_kind(text_of_string(name->text)) == kind;
	return count;
}

static size_t count_sidecars(const struct extras_folder *folder)
{
	return count_kind(folder, SIDECAR_CREDENTIAL) + count_kind(folder, SIDECAR_SYSEXT) +
	       count_kind(folder, SIDECAR_CONFEXT) + count_kind(folder, SIDECAR_ADDON);
}

/* Warns of files that this boot ignores. */
static void leave_out_unsealed(const struct extras_request *request, struct extras *extras)
{
	bool takes_addons = request->addons_are_verified();

	for (size_t i = 0; i < EXTRAS_PLACES; i++) {
		struct extras_folder *folder = &extras->folders[i];
		size_t used = takes_addons ? count_kind(folder, SIDECAR_ADDON) : 0;
		size_t unused = count_sidecars(folder) - used;

		if (unused)
			log_warning("%s: %zu of its files are not used: a sealed kernel takes only addons, with Secure "
				    "Boot on",
				    folder->path, unused);
	}
	if (!takes_addons)
		extras->policy = EXTRAS_NONE;
}

static enum kexec_status list_folders(const struct extras_request *request, const struct sources *sources,
				      struct extras *extras)
{
	enum kexec_status status = KEXEC_OK;

	find_places(request->kernel, sources, extras);
	for (size_t i = 0; !status && i < EXTRAS_PLACES; i++) {
		struct extras_folder *folder = &extras->folders[i];

		if (folder->path[0])
			status = folder_list(&extras->volume, folder->path, &folder->folder);
	}
	if (!status && extras->policy == EXTRAS_ADDONS)
		leave_out_unsealed(request, extras);
	return status;
}

static void add_archives(struct extras *extras)
{
	for (size_t i = 0; i < ARRAY_SIZE(archives); i++) {
		const struct extras_folder *folder = &extras->folders[archives[i].place];

		if (!count_kind(folder, archives[i].sidecar))
			continue;
		extras->list[extras->count++] = (struct extra){
			.name = archives[i].archive.path,
			.order = EXTRA_ARCHIVE,
			.group = archives[i].group,
			.event = archives[i].event,
			.archive = &archives[i].archive,
			.folder = folder,
			.sidecar = archives[i].sidecar,
		};
	}
}

static void add_section(struct extras *extras, size_t index, const struct unified_view *view, const uint8_t *digest)
{
	extras->list[extras->count++] = (struct extra){
		.name = unified_section_name(sections[index].part),
		.order = EXTRA_ARCHIVE,
		.group = EXTRA_UNMEASURED,
		.archive = &section_archive,
		.file_name = sections[index].file_name,
		.view = view,
		.part = sections[index].part,
		.digest = digest,
	};
}

static void add_sections(const struct extras_request *request, struct extras *extras)
{
	for (size_t i = 0; request->view && i < ARRAY_SIZE(sections); i++) {
		enum unified_part part = sections[i].part;

		if (request->view->image.sections[part].size)
			add_section(extras, i, request->view, request->digests ? request->digests[part] : NULL);
	}
}

static size_t count_addons(const struct extras *extras)
{
	size_t count = 0;

	for (size_t i = 0; extras->policy != EXTRAS_NONE && i < EXTRAS_PLACES; i++)
		count += count_kind(&extras->folders[i], SIDECAR_ADDON);
	return count;
}

bool extras_may_add(const struct extras *extras)
{
	return extras->count || count_addons(extras);
}

/* An addon adds at most two initrds. */
static size_t room(const struct extras *extras)
{
	return ARRAY_SIZE(archives) + ARRAY_SIZE(sections) + 2 * count_addons(extras);
}

enum kexec_status extras_find(const struct extras_request *request, struct sources *sources, struct extras *ret_extras)
{
	enum kexec_status status = KEXEC_OK;
	void *memory;

	ret_extras->policy = policy_of(request);
	if (ret_extras->policy != EXTRAS_NONE && !is_on_network(request->kernel, sources))
		status = list_folders(request, sources, ret_extras);
	if (!status)
		status = extras_alloc(ret_extras, room(ret_extras) * sizeof(*ret_extras->list), &memory);
	if (status)
		return status;
	ret_extras->list = memory;
	if (ret_extras->policy == EXTRAS_ALL)
		add_archives(ret_extras);
	add_sections(request, ret_extras);
	return KEXEC_OK;
}

/* The list has room for a file in place of a section, because only a kernel without sections has such files. */
enum kexec_status extras_add_file(struct extras *extras, enum unified_part part, const void *bytes, uint64_t size,
				  const uint8_t digest[SHA256_DIGEST_SIZE])
{
	struct unified_view *view;
	enum kexec_status status;
	void *memory;

	status = extras_alloc(extras, sizeof(*view), &memory);
	if (status)
		return status;
	view = memory;
	*view = (struct unified_view){ .bytes = bytes };
	view->image.sections[part] = (struct unified_section){ .file_size = size, .size = size };
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (sections[i].part == part)
			add_section(extras, i, view, digest);
	}
	return KEXEC_OK;
}

/* Appends text to *line, behind a space. Empty text leaves *line unchanged. */
static enum kexec_status append(struct extras *extras, struct text *line, struct text text)
{
	struct text_buffer joined = { 0 };
	enum kexec_status status;
	void *memory;

	if (!text.length)
		return KEXEC_OK;
	status = extras_alloc(extras, line->length + sizeof(" ") + text.length, &memory);
	if (status)
		return status;
	joined.start = memory;
	text_append(&joined, *line);
	if (joined.length)
		text_append(&joined, TEXT(" "));
	text_append(&joined, text);
	joined.start[joined.length] = '\0';
	*line = (struct text){ .start = joined.start, .length = joined.length };
	return KEXEC_OK;
}

enum kexec_status extras_add_options(struct extras *extras, struct text options)
{
	return append(extras, &extras->addon_options, options);
}

enum kexec_status extras_settle_command_line(struct extras *extras, struct text said)
{
	enum kexec_status status;

	extras->command_line = said;
	status = append(extras, &extras->command_line, extras->addon_options);
	return status ? status : append(extras, &extras->command_line, extras->machine_options);
}

void extras_free(struct extras *extras)
{
	for (size_t i = 0; i < EXTRAS_PLACES; i++)
		folder_free(&extras->folders[i].folder);
	while (extras->memory) {
		struct extras_memory *piece = extras->memory;

		extras->memory = piece->next;
		pool_free(piece);
	}
	volume_close(&extras->volume);
	*extras = (struct extras){ 0 };
}
