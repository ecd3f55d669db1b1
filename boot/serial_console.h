// SPDX-License-Identifier: BSD-2-Clause
/*
 * The words by which Linux uses the consoles that the firmware writes to, where its command line names none. Without
 * them a machine without a screen is silent: of the consoles that nobody names Linux takes the first, a dummy. The
 * words are those of systemd-stub 262 (src/boot/console.c, cmdline_append_console), for consoles of which it is certain
 * what Linux calls them.
 *
 * They depend on the machine alone, and are not measured, so that one prediction serves for all machines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text.h"

/* What the firmware writes to. A zeroed one is nothing. */
struct serial_consoles {
	uint32_t ports;		    /* the ports of a PC: bit 0 is COM1 */
	unsigned virtio_port_count; /* VirtIO's, which Linux calls hvc0 and so on */
	bool has_screen;
};

/* The PCI device on which a console hangs, by its configuration space. */
struct console_parent {
	uint16_t vendor;
	uint16_t device;
	uint16_t class; /* class in the upper byte, and subclass */
};

/*
 * Adds a console by the device path behind its PCI device: `size` bytes of nodes. It is a serial port if the first one
 * is ACPI's PNP0501. Its _UID says which only behind a bridge to ISA: edk2's driver for VirtIO has a PNP0501 as well,
 * with the port's number (OvmfPkg/VirtioSerialDxe). Returns false for a console that is neither of these.
 */
bool serial_consoles_add(struct serial_consoles *consoles, const struct console_parent *parent, const void *nodes,
			 size_t size);

/* For the longest words, with a NUL. */
#define SERIAL_CONSOLE_SIZE 64u

/*
 * The words for a command line: the port, VirtIO's, and at last, as the main one, the screen. Empty where the command
 * line names a console, where there is no serial one, and where there are several of a kind: it cannot be told which of
 * them somebody watches.
 */
struct text serial_console_words(const struct serial_consoles *consoles, struct text command_line,
				 char ret_words[SERIAL_CONSOLE_SIZE]);

/* Room for a command line with these words, and a NUL. */
size_t serial_console_room(struct text command_line, struct text words);

/*
 * Writes the command line to `place`, with the words at its end as systemd-stub has them; where they would be init's
 * there, behind `--`, or stand within a quote that nobody ends, at its beginning. A NUL follows, which is not counted.
 */
struct text serial_console_write(struct text command_line, struct text words, char *place);
