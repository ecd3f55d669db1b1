// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds a PCI device, a device path behind it, and a command line to boot/serial_console.c. Words are added once, in
 * one place, and only if the line names no console.
 */
#include "boot/serial_console.h"
#include "tests/fuzz/input.h"

/* The added words are at one end of the line. The rest does not change. */
static void check_line(struct text before, struct text words)
{
	char *place = malloc(serial_console_room(before, words));
	struct text line = serial_console_write(before, words, place);
	struct text rest = line;
	bool is_in_front = words.length && text_begins_with(line, words);

	assert(line.start == place && line.start[line.length] == '\0');
	assert(line.length == before.length + words.length + (before.length && words.length));
	if (is_in_front)
		text_drop(&rest, line.length - before.length);
	assert(memcmp(rest.start, before.start, before.length) == 0);
	if (words.length && !is_in_front)
		assert(memcmp(line.start + line.length - words.length, words.start, words.length) == 0);
	free(place);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	struct serial_consoles consoles = { .has_screen = take_number(&input, 1) & 1 };
	struct console_parent parent = {
		.vendor = (uint16_t)take_number(&input, 2),
		.device = (uint16_t)take_number(&input, 2),
		.class = (uint16_t)take_number(&input, 2),
	};
	size_t nodes_size = (size_t)take_number(&input, 1);
	char words[SERIAL_CONSOLE_SIZE];
	struct text line;
	struct text found;
	uint8_t *nodes;
	char *copy;

	if (nodes_size > input.size)
		nodes_size = input.size;
	nodes = malloc(nodes_size ? nodes_size : 1);
	memcpy(nodes, input.bytes, nodes_size);
	if (serial_consoles_add(&consoles, &parent, nodes, nodes_size))
		assert((consoles.ports != 0) + (consoles.virtio_port_count != 0) == 1 && consoles.ports <= 8);
	else
		assert(!consoles.ports && !consoles.virtio_port_count);
	line.length = input.size - nodes_size;
	copy = malloc(line.length ? line.length : 1);
	memcpy(copy, input.bytes + nodes_size, line.length);
	line.start = copy;
	found = serial_console_words(&consoles, line, words);
	assert(found.length < SERIAL_CONSOLE_SIZE);
	if (!consoles.ports && !consoles.virtio_port_count)
		assert(!found.length);
	check_line(line, found);
	/* Once they are added, there are no more to add. */
	if (found.length) {
		char *place = malloc(serial_console_room(line, found));
		char more[SERIAL_CONSOLE_SIZE];

		assert(!serial_console_words(&consoles, serial_console_write(line, found, place), more).length);
		free(place);
	}
	free(copy);
	free(nodes);
	return 0;
}
