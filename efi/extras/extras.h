// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is added to a unified image's own initrds, as systemd-stub does it (systemd-stub(7), "Companion Files"; systemd
 * 262, src/boot/stub.c): archives of the sidecars that lie beside the image or in \loader, archives of sections that
 * user space wants to see (/.extra/os-release and others), and what addons hold. Each is an initrd that is made here.
 *
 * Policy. A unified image, our own or one that an entry names, takes all of them: an addon is verified by the platform,
 * the others are nobody's word, and are measured. What is sealed by an entry, a kernel or a unified image with a digest
 * in our image, takes addons only, and only with Secure Boot on. A kernel that comes by itself takes none, and what
 * comes from a network has no folders.
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

/* Which boots take which of them. */
enum extras_policy {
	EXTRAS_NONE,
	EXTRAS_ADDONS,
	EXTRAS_ALL,
};

/* Folders, in the order in which addons are taken from them. */
enum extras_place {
	EXTRAS_ADDONS_OF_ALL,
	EXTRAS_OWN, /* beside the image */
	EXTRAS_CREDENTIALS_OF_ALL,
	EXTRAS_EXTENSIONS_OF_ALL,
	EXTRAS_PLACES,
};

struct extras_folder {
	char path[VOLUME_PATH_SIZE]; /* "": there is none */
	struct folder folder;
};

/* Where an initrd stands among the others (efi/load/initrds.c). */
enum extra_order {
	EXTRA_MICROCODE, /* of an addon: before all others, and of these the last file first, as Linux takes the first
			  */
	EXTRA_ARCHIVE,	 /* behind the image's own initrd */
	EXTRA_INITRD,	 /* of an addon: behind all others */
};

/* What is measured together: whoever asks is told whether all of a group was (efi/measure). */
enum extra_group {
	EXTRA_UNMEASURED, /* it is a section, which is measured as such, or must not be */
	EXTRA_PARAMETERS,
	EXTRA_SYSEXTS,
	EXTRA_CONFEXTS,
};

struct extra {
	const char *name; /* for messages; an addon's file, as the log of the TPM names it */
	enum extra_order order;
	enum extra_group group;
	const char *event; /* text of its event; NULL: an addon, whose event has a tag */

	const struct cpio_folder *archive; /* NULL: the content is the initrd */
	/* What an archive holds: the files of one kind in a folder, or else a section, as one file of that name. */
	const struct extras_folder *folder;
	enum sidecar sidecar;
	const char *file_name;

	/* The section: of the unified image, or of the addon. */
	const struct unified_view *view;
	enum unified_part part;
	const uint8_t *digest; /* fs-verity's, taken when the section arrived; NULL: it is of our own image */

	uint64_t size; /* of the initrd, once extras_find_sizes has found it */
	uint64_t addr; /* where it lies, once it is loaded */
};

/* A zeroed one is empty. */
struct extras {
	enum extras_policy policy;
	struct volume volume; /* that the folders are on */
	struct extras_folder folders[EXTRAS_PLACES];
	struct extra
		*list; /* in the order in which they are measured, apart from microcode, of which the last is first */
	size_t count;
	struct text addon_options;    /* of all addons, with spaces between them; empty: none */
	struct text machine_options;  /* of SMBIOS */
	struct text command_line;     /* with both, once it is settled; a NUL follows, as behind what was said */
	struct extras_memory *memory; /* what was allocated for them */
};

/* For whom they are. */
struct extras_request {
	const struct boot_part *kernel;
	const struct unified_view *view; /* not NULL: of the unified image; it may have no bytes yet */
	/* Of the view's sections, once they have arrived; NULL: it is our own image. */
	const uint8_t (*digests)[SHA256_DIGEST_SIZE];
	bool (*addons_are_verified)(void); /* whether the platform verifies what it is shown */
};

/*
 * Lists the sidecars, and the sections that become archives; the list has room for all that addons can add. What the
 * request points to, and `ret_extras`, must stay where they are. The caller frees them with extras_free, also after a
 * failure.
 */
enum kexec_status extras_find(const struct extras_request *request, struct sources *sources, struct extras *ret_extras);

/* Whether there is an initrd among them, or may be one in an addon. */
bool extras_may_add(const struct extras *extras);

/*
 * Adds an archive with a file that is no section, in the place of the section `part`: a signature or its key, which an
 * entry names. `bytes` must stay until it is loaded; `digest` is fs-verity's, which they are compared with then, and
 * stays as well.
 */
enum kexec_status extras_add_file(struct extras *extras, enum unified_part part, const void *bytes, uint64_t size,
				  const uint8_t digest[SHA256_DIGEST_SIZE]);

/* Allocates pool memory that is freed with the extras. */
enum kexec_status extras_alloc(struct extras *extras, size_t size, void **ret_memory);

/* Appends options of an addon to those of the addons before it. */
enum kexec_status extras_add_options(struct extras *extras, struct text options);

/* Adds the options that the machine has for unified images, if it has any. Does nothing for a policy of less. */
enum kexec_status extras_add_machine_options(struct extras *extras);

/* Makes extras->command_line of what was said otherwise, which must stay, and of the options that are added to it. */
enum kexec_status extras_settle_command_line(struct extras *extras, struct text said);

/* Finds the size of each initrd, once all are in the list. */
enum kexec_status extras_find_sizes(struct extras *extras);

/*
 * Makes an initrd at the physical address `addr`; up to the next multiple of 4 zeros lie behind it. Fails if a file or
 * section is not what it was when its size was found, or when its digest was taken.
 */
enum kexec_status extra_load(struct extras *extras, struct extra *extra, struct digest *digest, uint64_t addr);

/* Does no harm to an empty one. */
void extras_free(struct extras *extras);
