// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes the initrds that are made here. The same calls first count an archive's bytes, and later write it, straight to
 * its place in the initrd.
 */
#include "boot/log.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/extras/extras.h"
#include "efi/source/stream.h"

/* Counts or writes the open file. */
static enum kexec_status pack_stream(struct cpio *cpio, const char *name, struct stream *stream)
{
	enum kexec_status status;
	uint8_t *place;

	status = cpio_add_file(cpio, name, stream->file.size, &place);
	if (status || !place)
		return status;
	status = stream_read(stream, (uintptr_t)place, stream->file.size, NULL);
	return status ? status : stream_expect_end(stream);
}

static enum kexec_status pack_file(struct cpio *cpio, struct extras *extras, const char *folder, const char *name)
{
	char path[VOLUME_PATH_SIZE + SIDECAR_NAME_MAX + 1];
	struct stream stream;
	enum kexec_status status;

	format_text(path, sizeof(path), "%s\\%s", folder, name);
	status = stream_open(&extras->volume.source, path, &stream);
	if (!status)
		status = pack_stream(cpio, name, &stream);
	stream_close(&stream);
	return status;
}

static enum kexec_status pack_files(struct cpio *cpio, struct extras *extras, const struct extra *extra)
{
	enum kexec_status status = KEXEC_OK;

	for (const struct folder_name *name = extra->folder->folder.names; !status && name; name = name->next) {
		if (sidecar_kind(text_of_string(name->text)) == extra->sidecar)
			status = pack_file(cpio, extras, extra->folder->path, name->text);
	}
	return status;
}

/*
 * The digest covers the section as it is in memory, with the zeros that the file leaves out, up to a multiple of 4
 * (common/region.h). The bytes there are zeros: the archive's padding, or zeros from the caller.
 */
static enum kexec_status put_section(const struct extra *extra, struct digest *digest, uint8_t *place)
{
	uint64_t size = extra->view->image.sections[extra->part].size;
	struct text content = unified_content(extra->view, extra->part);
	uint8_t found[SHA256_DIGEST_SIZE];

	memcpy(place, content.start, content.length);
	memset(place + content.length, 0, size - content.length);
	if (!extra->digest)
		return KEXEC_OK;
	digest_of_file(digest, (uintptr_t)place, size, found);
	if (sha256_equal(found, extra->digest))
		return KEXEC_OK;
	return log_error(KEXEC_MISMATCH, "%s: expected its %lu bytes as they were read, found others", extra->name,
			 size);
}

static enum kexec_status pack_section(struct cpio *cpio, const struct extra *extra, struct digest *digest)
{
	uint64_t size = extra->view->image.sections[extra->part].size;
	enum kexec_status status;
	uint8_t *place;

	status = cpio_add_file(cpio, extra->file_name, size, &place);
	return status || !place ? status : put_section(extra, digest, place);
}

/* Writes to `bytes`, or only counts if it is NULL. */
static enum kexec_status pack(struct extras *extras, const struct extra *extra, struct digest *digest, void *bytes,
			      uint64_t *ret_size)
{
	enum kexec_status status;
	struct cpio cpio;

	status = cpio_start(&cpio, extra->archive, bytes, extra->size);
	if (!status && extra->folder)
		status = pack_files(&cpio, extras, extra);
	else if (!status)
		status = pack_section(&cpio, extra, digest);
	if (!status)
		status = cpio_finish(&cpio);
	*ret_size = cpio.size;
	return status;
}

enum kexec_status extras_find_sizes(struct extras *extras)
{
	enum kexec_status status = KEXEC_OK;

	for (size_t i = 0; !status && i < extras->count; i++) {
		struct extra *extra = &extras->list[i];

		if (extra->archive)
			status = pack(extras, extra, NULL, NULL, &extra->size);
		else
			extra->size = extra->view->image.sections[extra->part].size;
	}
	return status;
}

static enum kexec_status load(struct extras *extras, struct extra *extra, struct digest *digest)
{
	enum kexec_status status;
	uint64_t size;

	if (!extra->archive)
		return put_section(extra, digest, phys_to_ptr(extra->addr));
	status = pack(extras, extra, digest, phys_to_ptr(extra->addr), &size);
	if (!status && size != extra->size)
		return log_error(KEXEC_MISMATCH,
				 "%s: files changed while they were read: expected %lu bytes, found %lu", extra->name,
				 extra->size, size);
	return status;
}

enum kexec_status extra_load(struct extras *extras, struct extra *extra, struct digest *digest, uint64_t addr)
{
	enum kexec_status status;

	extra->addr = addr;
	status = load(extras, extra, digest);
	if (!status)
		log_verbose("%s: %lu bytes for the initrd%s%s", extra->name, extra->size, extra->folder ? " from " : "",
			    extra->folder ? extra->folder->path : "");
	return status;
}
