// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the load options ask of our image where that is a unified image: as of systemd-stub (systemd-stub(7),
 * "Description"; src/boot/stub.c, process_arguments), a profile and a command line.
 *
 *     [PROGRAM] [@N] [COMMAND LINE]
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/loadoptions.h"
#include "boot/text.h"

struct stub_request {
	bool has_profile;
	uint32_t profile;	  /* 0 unless one is asked for */
	struct text command_line; /* without blanks at its ends; in the buffer */
	struct text whole;	  /* program and profile as well */
};

/*
 * Parses `size` bytes of load options, as load_options_parse does: `buffer` has room for OPTIONAL_DATA_TEXT_SIZE(size)
 * bytes. What is no text, and what firmware puts there for itself, asks for nothing. A word that begins with @ and is
 * no number is the first of the command line.
 */
struct stub_request stub_request_parse(const void *bytes, size_t size, const struct load_options_sender *sender,
				       char *buffer);

/*
 * Whether the load options ask for no command line, or for this one: then nothing is lost if they are ignored. Tabs
 * count as blanks. systemd-boot 252 passes an image its own .cmdline (src/boot/efi/boot.c, image_start).
 */
bool stub_request_repeats(const struct stub_request *request, struct text command_line);
