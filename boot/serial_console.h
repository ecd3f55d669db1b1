// SPDX-License-Identifier: BSD-2-Clause
/*
 * The words by which Linux uses the firmware's consoles if its command line names none. Without them a machine without
 * a screen is silent: if no console is named, Linux takes the first, a dummy. The words are those of systemd-stub 262
 * (src/boot/console.c, cmdline_append_console), for consoles whose name in Linux is certain.
 *
 * They depend only on the machine, and are not measured, so that one prediction serves for all machines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text.h"

/* The firmware's consoles. A zeroed one has none. */
struct serial_consoles {
	uint32_t ports;		    /* the ports of a PC: bit 0 is COM1 */
	unsigned virtio_port_count; /* VirtIO's, which Linux calls hvc0 and so on */
	bool has_screen;
};

/* The PCI device that a console is behind, by its configuration space. */
struct console_parent {
	uint16_t vendor;
	uint16_t device;
	uint16_t class; /* class in the upper byte, and subclass */
};

/*
 * Adds a console by the device path behind its PCI device: `size` bytes of nodes. If the first node is ACPI's PNP0501,
 * it is a serial port. Its _UID is the number of a PC's port only behind a bridge to ISA: edk2's driver for VirtIO also
 * has a PNP0501, with VirtIO's port number (OvmfPkg/VirtioSerialDxe). Returns false for any other console.
 */
bool serial_consoles_add(struct serial_consoles *consoles, const struct console_parent *parent, const void *nodes,
			 size_t size);

/* Size of the longest words, with a NUL. */
#define SERIAL_CONSOLE_SIZE 64u

/*
 * The words for a command line: the port, VirtIO's console, and last, as the main console, the screen. Empty if the
 * command line names a console, if there is no serial console, or if there are several of a kind, because it is unknown
 * which of them somebody watches.
 */
struct text serial_console_words(const struct serial_consoles *consoles, struct text command_line,
				 char ret_words[SERIAL_CONSOLE_SIZE]);

/* Room for a command line with these words, and a NUL. */
size_t serial_console_room(struct text command_line, struct text words);

/*
 * Writes the command line to `place`, with the words at its end, like systemd-stub. If they would be init's there,
 * behind `--`, or inside an unterminated quote, it writes them at the beginning. A NUL follows, which is not counted.
 */
struct text serial_console_write(struct text command_line, struct text words, char *place);
