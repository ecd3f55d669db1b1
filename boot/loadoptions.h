// SPDX-License-Identifier: BSD-2-Clause
/*
 * Load options: what a boot entry of the firmware, systemd-boot's `options` or the UEFI shell's command line hands to
 * an image (EFI_LOADED_IMAGE_PROTOCOL.LoadOptions, UEFI specification 9.1). They are turned into lines of an entry, so
 * that one parser serves for both.
 *
 *     [PROGRAM] [linux=PATH] [initrd=PATH]... [entry=PATH] [volume=NAME] [measure=require] [verbose] [-- COMMAND LINE]
 *
 * A path with blanks stands in "...". Line ends count as blanks. The command line is taken as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/optional_data.h"
#include "boot/text.h"

/* Longer load options are ignored. */
#define LOAD_OPTIONS_SIZE_MAX OPTIONAL_DATA_SIZE_MAX

/* Room for the text, for its words, and for the lines, which are less than twice as long. */
#define LOAD_OPTIONS_BUFFER_SIZE(size) (4 * OPTIONAL_DATA_TEXT_SIZE(size) + 64)

/* Who passes them: that decides what the first word may be. */
struct load_options_sender {
	bool is_shell;	      /* a UEFI shell, whose first word is the program's name */
	bool is_qemu;	      /* our volume is the one that edk2 makes of QEMU's -kernel, -shim, -initrd and -append */
	struct text own_path; /* our path; empty where it is not known */
};

/* Whether the first word of load options is the program's name. */
bool load_options_name_program(struct text word, const struct load_options_sender *sender);

/* What they ask for. All texts lie in the buffer that load_options_parse was given. */
struct load_options {
	struct text lines;	/* of an entry; empty where nothing was asked for */
	struct text volume;	/* where that file is, and the parts are; empty where none is named */
	struct text entry_path; /* the file that holds the entry; empty where none is named */
	bool has_linux;		/* the lines are an entry by themselves */
	const char *skipped;	/* what stands there instead of text, and nobody has meant anything by it; or NULL */
};

/*
 * Parses `size` bytes of load options. The first word may be the program's name: whatever it is if a shell passes it,
 * else one that names the image at sender->own_path, or where that is not known, one that ends in .efi. `buffer` must
 * hold LOAD_OPTIONS_BUFFER_SIZE(size) bytes.
 *
 * Text that is not of the form above is ignored as a whole, with one line that says so, and *ret_options is empty. What
 * is no text, and what firmware is known to put there for itself, is ignored without one (boot/optional_data.h).
 *
 * edk2 starts QEMU's -shim with "kernel", the text of -append, and "initrd=initrd" in front of that or behind it if
 * there is an initrd (OvmfPkg/Library/X86QemuLoadImageLib). To an image that is called shim, on QEMU's volume, these
 * are a kernel, a command line that is taken as it is, and an initrd.
 */
void load_options_parse(const void *bytes, size_t size, const struct load_options_sender *sender, char *buffer,
			struct load_options *ret_options);
