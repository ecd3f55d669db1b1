// SPDX-License-Identifier: BSD-2-Clause
/*
 * Load options: text that a boot entry of the firmware, systemd-boot's `options` or the UEFI shell's command line
 * passes to an image (EFI_LOADED_IMAGE_PROTOCOL.LoadOptions, UEFI specification 9.1). They become lines of an entry, so
 * that both have one parser.
 *
 *     [PROGRAM] [linux=PATH] [initrd=PATH]... [entry=PATH] [volume=NAME] [measure=require] [verbose] [-- COMMAND LINE]
 *
 * A path with blanks stands in "...". Line ends count as blanks. The command line is not changed.
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

/* The sender of load options, which decides what the first word may be. */
struct load_options_sender {
	bool is_shell;	      /* a UEFI shell, whose first word is the program's name */
	bool is_qemu;	      /* our volume is the one that edk2 makes of QEMU's -kernel, -shim, -initrd and -append */
	struct text own_path; /* our path; empty: unknown */
};

/* Whether the first word of load options is the program's name. */
bool load_options_name_program(struct text word, const struct load_options_sender *sender);

/* The content of load options. All texts lie in the buffer that load_options_parse was given. */
struct load_options {
	struct text lines;	/* of an entry; empty: the load options ask for nothing */
	struct text volume;	/* of the entry file and of the parts; empty: none is named */
	struct text entry_path; /* of the entry file; empty: none is named */
	bool has_linux;		/* the lines are an entry by themselves */
	const char *skipped;	/* kind of content that nobody wrote, and that is ignored without a warning; or NULL */
};

/*
 * Parses `size` bytes of load options. The first word from a shell is the program's name, whatever it is. From any
 * other sender it is the program's name if it names the image at sender->own_path, or, if that is unknown, ends in
 * .efi. `buffer` must hold LOAD_OPTIONS_BUFFER_SIZE(size) bytes.
 *
 * Text that does not have the form above is ignored as a whole, with a warning, and *ret_options is empty. Content that
 * is not text, and content that firmware is known to put there for itself, is ignored without a warning
 * (boot/optional_data.h).
 *
 * edk2 starts QEMU's -shim with "kernel", the text of -append, and, if there is an initrd, "initrd=initrd" in front of
 * that text or behind it (OvmfPkg/Library/X86QemuLoadImageLib). For an image that is called shim, on QEMU's volume,
 * this means a kernel, an unchanged command line, and an initrd.
 */
void load_options_parse(const void *bytes, size_t size, const struct load_options_sender *sender, char *buffer,
			struct load_options *ret_options);
