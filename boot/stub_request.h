// SPDX-License-Identifier: BSD-2-Clause
/*
 * The request that load options make to our image if it is a unified image: a profile and a command line, in the form
 * of systemd-stub's load options (systemd-stub(7), "Description"; src/boot/stub.c, process_arguments).
 *
 *     [PROGRAM] [@N] [COMMAND LINE]
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/loadoptions.h"
#include "boot/plan.h"
#include "boot/text.h"

struct stub_request {
	bool has_profile;
	uint32_t profile;	  /* 0 by default */
	struct text command_line; /* without blanks at its ends; points into the buffer */
	struct text whole;	  /* with program and profile */
};

/*
 * Parses `size` bytes of load options, like load_options_parse: `buffer` must have room for
 * OPTIONAL_DATA_TEXT_SIZE(size) bytes. Binary data, and data of the firmware's own, ask for nothing. A word that begins
 * with @ but is not a number is the first word of the command line.
 */
struct stub_request stub_request_parse(const void *bytes, size_t size, const struct load_options_sender *sender,
				       char *buffer);

/*
 * Whether the load options ask for no command line, or for this one: then nothing is lost if they are ignored. Tabs
 * count as blanks. systemd-boot 252 passes an image's own .cmdline to it (src/boot/efi/boot.c, image_start).
 */
bool stub_request_repeats(const struct stub_request *request, struct text command_line);

/* Warns if the plan, of what is sealed in our image, ignores the load options. */
void stub_request_check(const struct stub_request *request, const struct boot_plan *plan);
