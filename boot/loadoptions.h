// SPDX-License-Identifier: BSD-2-Clause
/*
 * Load options: what a boot entry of the firmware, systemd-boot's `options` or the UEFI shell's command line hands to
 * an image (EFI_LOADED_IMAGE_PROTOCOL.LoadOptions, UEFI specification 9.1). They are turned into lines of an entry, so
 * that one parser serves for both.
 *
 *     [PROGRAM] [linux=PATH] [initrd=PATH]... [entry=PATH] [volume=NAME] [measure=require] [verbose] [-- COMMAND LINE]
 *
 * A path with blanks stands in "...". The command line is taken as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/status.h"
#include "boot/text.h"

/* Longer load options are ignored. */
#define LOAD_OPTIONS_SIZE_MAX 65536u

/* Bytes of UTF-8 that so many bytes of UTF-16 become at most. */
#define LOAD_OPTIONS_UTF8_SIZE(size) ((size) / 2 * 3)

/* Room for the text, for its words, and for the lines, which are less than twice as long. */
#define LOAD_OPTIONS_BUFFER_SIZE(size) (4 * LOAD_OPTIONS_UTF8_SIZE(size) + 64)

/* What they ask for. All texts lie in the buffer that load_options_parse was given. */
struct load_options {
	struct text lines;	/* of an entry; empty where nothing was asked for */
	struct text volume;	/* where that file is, and the parts are; empty where none is named */
	struct text entry_path; /* the file that holds the entry; empty where none is named */
	bool has_linux;		/* the lines are an entry by themselves */
};

/*
 * Parses `size` bytes of load options. `from_shell`: the first word is the program's name; without it only a word that
 * ends in .efi is taken for one. `buffer` must hold LOAD_OPTIONS_BUFFER_SIZE(size) bytes.
 *
 * Firmware is known to pass other things than text (a whole EFI_LOAD_OPTION, binary data, half characters). What is
 * not of the form above is ignored as a whole, with one line that says so, and *ret_options is empty.
 */
void load_options_parse(const void *bytes, size_t size, bool from_shell, char *buffer,
			struct load_options *ret_options);
