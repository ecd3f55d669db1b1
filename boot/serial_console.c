// SPDX-License-Identifier: BSD-2-Clause
/* Recognises serial ports by their device paths, and names them as Linux does. */
#include "boot/serial_console.h"

#include "boot/device_path.h"
#include "boot/stub_options.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"

/* ACPI Device Path: UEFI specification 10.3.3 */
enum {
	ACPI_ID = 4,
	ACPI_UID = 8,
	ACPI_SIZE = 12,
	ACPI_SERIAL_PORT = 0x050141d0, /* PNP0501, 16550A-compatible, as EISA ID */
};

enum {
	PCI_CLASS_ISA_BRIDGE = 0x0601, /* PCI Code and ID Assignment Specification 1.7 */
	PCI_VENDOR_VIRTIO = 0x1af4,    /* VirtIO 1.2, 4.1.2 and 5.3.1 */
	PCI_VIRTIO_CONSOLE = 0x1043,
	PCI_VIRTIO_CONSOLE_BEFORE_1 = 0x1003,
};

/*
 * By address: Linux finds the port before it has drivers, leaves its speed as the firmware set it, and continues with
 * the ttyS of that address (Documentation/admin-guide/kernel-parameters.txt, console=uart). The addresses of a PC's
 * ports are in arch/x86/include/asm/serial.h.
 */
static const char port_words[][sizeof("console=uart,io,0x3f8")] = {
	"console=uart,io,0x3f8",
	"console=uart,io,0x2f8",
	"console=uart,io,0x3e8",
	"console=uart,io,0x2e8",
};

#define PORTS_MAX ARRAY_SIZE(port_words)

static bool read_uid(const void *nodes, size_t size, uint32_t *ret_uid)
{
	size_t length = 0;
	size_t at = 0;
	bool broken;
	const uint8_t *node = device_path_next(nodes, size, &at, &length, &broken);
	uint32_t id;

	if (!node || node[0] != DEVICE_PATH_ACPI || node[1] != DEVICE_PATH_ACPI_DEVICE || length < ACPI_SIZE)
		return false;
	memcpy(&id, node + ACPI_ID, sizeof(id));
	memcpy(ret_uid, node + ACPI_UID, sizeof(*ret_uid));
	return id == ACPI_SERIAL_PORT;
}

static bool is_virtio(const struct console_parent *parent)
{
	return parent->vendor == PCI_VENDOR_VIRTIO &&
	       (parent->device == PCI_VIRTIO_CONSOLE || parent->device == PCI_VIRTIO_CONSOLE_BEFORE_1);
}

bool serial_consoles_add(struct serial_consoles *consoles, const struct console_parent *parent, const void *nodes,
			 size_t size)
{
	uint32_t uid;

	if (!read_uid(nodes, size, &uid))
		return false;
	if (is_virtio(parent)) {
		consoles->virtio_port_count++;
		return true;
	}
	if (parent->class != PCI_CLASS_ISA_BRIDGE || uid >= PORTS_MAX)
		return false;
	consoles->ports |= UINT32_C(1) << uid;
	return true;
}

/* Words behind -- are init's. */
static bool names_console(struct text command_line)
{
	struct stub_parameter parameter;

	while (stub_take_parameter(&command_line, &parameter)) {
		if (parameter.has_value && text_equal(parameter.name, TEXT("console")))
			return true;
		if (!parameter.has_value && text_equal(parameter.name, TEXT("--")))
			return false;
	}
	return false;
}

/* The only port, or PORTS_MAX if there is none or more than one. */
static size_t only_port(uint32_t ports)
{
	size_t port = 0;

	while (port < PORTS_MAX && ports != UINT32_C(1) << port)
		port++;
	return port;
}

struct text serial_console_words(const struct serial_consoles *consoles, struct text command_line,
				 char ret_words[SERIAL_CONSOLE_SIZE])
{
	size_t port = only_port(consoles->ports);
	bool has_virtio = consoles->virtio_port_count == 1;
	size_t length = 0;

	if (!names_console(command_line) && (port < PORTS_MAX || has_virtio))
		length =
			format_text(ret_words, SERIAL_CONSOLE_SIZE, "%s%s%s%s",
				    port < PORTS_MAX ? port_words[port] : "", port < PORTS_MAX && has_virtio ? " " : "",
				    has_virtio ? "console=hvc0" : "", consoles->has_screen ? " console=tty0" : "");
	return (struct text){ .start = ret_words, .length = length };
}

size_t serial_console_room(struct text command_line, struct text words)
{
	return command_line.length + (command_line.length && words.length) + words.length + 1;
}

static struct text join(struct text first, struct text second, char *place)
{
	struct text_buffer line = { .start = place };

	text_append(&line, first);
	if (first.length && second.length)
		text_append(&line, TEXT(" "));
	text_append(&line, second);
	place[line.length] = '\0';
	return (struct text){ .start = place, .length = line.length };
}

struct text serial_console_write(struct text command_line, struct text words, char *place)
{
	struct text line = join(command_line, words, place);

	if (!words.length || names_console(line))
		return line;
	return join(words, command_line, place);
}
