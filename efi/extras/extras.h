// SPDX-License-Identifier: BSD-2-Clause
/*
 * Initrds added to a unified image's own, as systemd-stub adds them (systemd-stub(7), "Companion Files"; systemd 262,
 * src/boot/stub.c): archives of the sidecars beside the image or in \loader, archives of sections that user space wants
 * to see (/.extra/os-release and others), and the initrds in addons. Each is made here.
 *
 * Policy. A unified image, our own or one that an entry names, takes all of them: the platform verifies an addon,
 * nobody vouches for the others, and those are measured. A kernel or unified image that is sealed by a digest in our
 * image takes only addons, and only with Secure Boot on. A kernel that comes by itself takes none. A network server has
 * no folders.
 */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/cpio.h"
#include "boot/digest.h"
#include "boot/sidecar.h"
#include "boot/status.h"
#include "boot/unified_sections.h"
#include "boot/volume_path.h"
#include "efi/source/folder.h"
#include "efi/source/sources.h"

/* Which extras a boot takes. */
enum extras_policy {
	EXTRAS_NONE,
	EXTRAS_ADDONS,
	EXTRAS_ALL,
};

/* Folders, in the order in which addons come from them. */
enum extras_place {
	EXTRAS_ADDONS_OF_ALL,
	EXTRAS_OWN, /* beside the image */
	EXTRAS_CREDENTIALS_OF_ALL,
	EXTRAS_EXTENSIONS_OF_ALL,
	EXTRAS_PLACES,
};

struct extras_folder {
	char path[VOLUME_PATH_SIZE]; /* "": no folder */
	struct folder folder;
};

/* Position of an initrd among the others (efi/load/initrd_list.c). */
enum extra_order {
	EXTRA_MICROCODE, /* of an addon: before all others, the last file first, as Linux takes the first */
	EXTRA_ARCHIVE,	 /* behind the image's own initrd */
	EXTRA_INITRD,	 /* of an addon: behind all others */
};

/* Groups of initrds that are measured together: the caller learns whether a whole group was measured (efi/measure). */
enum extra_group {
	EXTRA_UNMEASURED, /* a section: measured with its image, or never */
	EXTRA_PARAMETERS,
	EXTRA_SYSEXTS,
	EXTRA_CONFEXTS,
};

struct extra {
	const char *name; /* for messages; of an addon, its file, as the TPM's log names it */
	enum extra_order order;
	enum extra_group group;
	const char *event; /* text of its event; NULL: an addon, whose event has a tag */

	const struct cpio_folder *archive; /* NULL: the content is the initrd */
	/* The content of the archive: a folder's files of one kind, or else a section, as one file of that name. */
	const struct extras_folder *folder;
	enum sidecar sidecar;
	const char *file_name;

	/* The section: of the unified image, or of the addon. */
	const struct unified_view *view;
	enum unified_part part;
	const uint8_t *digest; /* fs-verity's, taken when the section arrived; NULL: a section of our own image */

	uint64_t size; /* of the initrd, once extras_find_sizes has found it */
	uint64_t addr; /* once it is loaded */
};

/* A zeroed one is empty. */
struct extras {
	enum extras_policy policy;
	struct volume volume; /* of the folders */
	struct extras_folder folders[EXTRAS_PLACES];
	struct extra *list; /* in the order of measuring; microcode: the last comes first */
	size_t count;
	struct text addon_options;   /* of all addons, with spaces between them; empty: none */
	struct text machine_options; /* of SMBIOS */
	struct text command_line;    /* with both, once it is settled; a NUL follows, as behind the line without them */
	struct extras_memory *memory; /* allocations that belong to them */
};

/* The kernel that the extras are for. */
struct extras_request {
	const struct boot_part *kernel;
	const struct unified_view *view; /* of the unified image, or NULL; it may have no bytes yet */
	/* Of the view's sections, valid once they have arrived; NULL: the view is of our own image. */
	const uint8_t (*digests)[SHA256_DIGEST_SIZE];
	bool (*addons_are_verified)(void); /* whether the platform verifies an addon that it is shown */
};

/*
 * Lists the sidecars, and the sections that become archives. The list has room for everything that addons can add.
 * `ret_extras`, and the objects that the request points to, must stay in place. The caller frees the extras with
 * extras_free, even after a failure.
 */
enum kexec_status extras_find(const struct extras_request *request, struct sources *sources, struct extras *ret_extras);

/* Whether there is an initrd among the extras, or may be one in an addon. */
bool extras_may_add(const struct extras *extras);

/*
 * Adds an archive with one file, in place of the section `part`: a signature or its key, which an entry names. `bytes`
 * must stay until the archive is loaded. `digest` is their fs-verity digest; it must stay as well, and loading compares
 * it.
 */
enum kexec_status extras_add_file(struct extras *extras, enum unified_part part, const void *bytes, uint64_t size,
				  const uint8_t digest[SHA256_DIGEST_SIZE]);

/* Allocates pool memory that is freed with the extras. */
enum kexec_status extras_alloc(struct extras *extras, size_t size, void **ret_memory);

/* Appends options of an addon to those of the addons before it. */
enum kexec_status extras_add_options(struct extras *extras, struct text options);

/* Adds the machine's options for unified images, if there are any. A no-op for a policy other than EXTRAS_ALL. */
enum kexec_status extras_add_machine_options(struct extras *extras);

/* Makes extras->command_line: `said`, which must stay, and the added options. */
enum kexec_status extras_settle_command_line(struct extras *extras, struct text said);

/* Finds the size of each initrd, once all are in the list. */
enum kexec_status extras_find_sizes(struct extras *extras);

/*
 * Makes an initrd at the physical address `addr`. The caller has zeroed the bytes behind it, up to a multiple of 4.
 * Fails if a file or section has changed since its size was found or its digest was taken.
 */
enum kexec_status extra_load(struct extras *extras, struct extra *extra, struct digest *digest, uint64_t addr);

/* Harmless on an empty one. */
void extras_free(struct extras *extras);
