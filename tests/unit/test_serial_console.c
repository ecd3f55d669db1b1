// SPDX-License-Identifier: BSD-2-Clause
/* Consoles by their device paths, and the words for them. */
#include "boot/serial_console.h"

#include "tests/unit/support.h"

static const struct console_parent isa = { .vendor = 0x8086, .device = 0x2918, .class = 0x0601 };
static const struct console_parent virtio = { .vendor = 0x1af4, .device = 0x1003, .class = 0x0780 };
static const struct console_parent virtio_1 = { .vendor = 0x1af4, .device = 0x1043, .class = 0x0780 };
static const struct console_parent serial_card = { .vendor = 0x1b36, .device = 0x0002, .class = 0x0700 };

/* Behind the PCI device: PNP0501 with _UID 1, a UART, and the terminal on it. */
static const uint8_t com2[] = {
	2,    1,    12,	  0,	0xd0, 0x41, 0x01, 0x05, 1,    0,    0,	  0,	/* Acpi(PNP0501,1) */
	3,    14,   19,	  0,	0,    0,    0,	  0,	0,    0xc2, 1,	  0,	/* Uart(115200,8,N,1) */
	0,    0,    0,	  0,	8,    1,    1,					/* */
	0x7f, 0xff, 4,	  0,
};

/* Reads a copy of exactly that size, so that a sanitizer detects reads behind it. */
static bool add_nodes(struct serial_consoles *consoles, const struct console_parent *parent, const uint8_t *nodes,
		      size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	bool result;

	memcpy(copy, nodes, size);
	result = serial_consoles_add(consoles, parent, copy, size);
	free(copy);
	return result;
}

static bool add(struct serial_consoles *consoles, const struct console_parent *parent, uint32_t uid)
{
	uint8_t nodes[sizeof(com2)];

	memcpy(nodes, com2, sizeof(nodes));
	memcpy(nodes + 8, &uid, sizeof(uid));
	return add_nodes(consoles, parent, nodes, sizeof(nodes));
}

static void ports_of_a_pc(void **state)
{
	struct serial_consoles consoles = { 0 };

	(void)state;
	for (uint32_t uid = 0; uid < 4; uid++) {
		assert_true(add(&consoles, &isa, uid));
		assert_int_equal(consoles.ports, (2u << uid) - 1);
	}
	assert_true(add(&consoles, &isa, 3));
	assert_int_equal(consoles.ports, 15);
	assert_false(add(&consoles, &isa, 4));
	assert_false(add(&consoles, &isa, 32));
	assert_false(add(&consoles, &isa, UINT32_MAX));
	assert_int_equal(consoles.ports, 15);
	assert_int_equal(consoles.virtio_port_count, 0);
}

/* For VirtIO, edk2's _UID is the number of VirtIO's port, not of a PC's. */
static void ports_of_virtio(void **state)
{
	struct serial_consoles consoles = { 0 };

	(void)state;
	assert_true(add(&consoles, &virtio, 0));
	assert_true(add(&consoles, &virtio_1, 30));
	assert_int_equal(consoles.ports, 0);
	assert_int_equal(consoles.virtio_port_count, 2);
}

static void other_consoles(void **state)
{
	static const struct console_parent another = { .vendor = 0x1af4, .device = 0x1000, .class = 0x0780 };
	struct serial_consoles consoles = { 0 };
	uint8_t nodes[sizeof(com2)];

	(void)state;
	assert_false(add(&consoles, &serial_card, 0));
	assert_false(add(&consoles, &another, 0));
	/*
	 * A keyboard controller, another kind of ACPI node, another type of node, and a UART without an ACPI node in
	 * front.
	 */
	for (size_t i = 0; i < 4; i++) {
		static const struct {
			size_t at;
			uint8_t value;
		} changes[] = { { 6, 0x03 }, { 1, 2 }, { 0, 1 }, { 4, 0xd1 } };

		memcpy(nodes, com2, sizeof(nodes));
		nodes[changes[i].at] = changes[i].value;
		assert_false(add_nodes(&consoles, &isa, nodes, sizeof(nodes)));
	}
	assert_false(add_nodes(&consoles, &isa, com2 + 12, sizeof(com2) - 12));
	assert_false(add_nodes(&consoles, &isa, com2 + sizeof(com2) - 4, 4));
	assert_int_equal(consoles.ports, 0);
	assert_int_equal(consoles.virtio_port_count, 0);
}

static void broken_paths(void **state)
{
	struct serial_consoles consoles = { 0 };
	uint8_t nodes[sizeof(com2)];

	(void)state;
	for (size_t size = 0; size < 12; size++)
		assert_false(add_nodes(&consoles, &isa, com2, size));
	memcpy(nodes, com2, sizeof(nodes));
	for (uint8_t length = 0; length < 12; length++) {
		nodes[2] = length;
		assert_false(add_nodes(&consoles, &isa, nodes, sizeof(nodes)));
	}
	assert_int_equal(consoles.ports, 0);
	assert_true(add_nodes(&consoles, &isa, com2, 12));
}

static void expect_words(const struct serial_consoles *consoles, const char *command_line, const char *expected)
{
	char words[SERIAL_CONSOLE_SIZE];
	struct text found = serial_console_words(consoles, text_of_string(command_line), words);

	assert_int_equal(found.length, strlen(expected));
	assert_memory_equal(found.start, expected, found.length);
}

static void words(void **state)
{
	static const struct {
		struct serial_consoles consoles;
		const char *words;
	} cases[] = {
		{ { 0 }, "" },
		{ { .has_screen = true }, "" },
		{ { .ports = 1 }, "console=uart,io,0x3f8" },
		{ { .ports = 2 }, "console=uart,io,0x2f8" },
		{ { .ports = 4 }, "console=uart,io,0x3e8" },
		{ { .ports = 8 }, "console=uart,io,0x2e8" },
		{ { .ports = 1, .has_screen = true }, "console=uart,io,0x3f8 console=tty0" },
		{ { .ports = 3 }, "" },
		{ { .ports = 3, .has_screen = true }, "" },
		{ { .virtio_port_count = 1 }, "console=hvc0" },
		{ { .virtio_port_count = 2 }, "" },
		{ { .ports = 3, .virtio_port_count = 1 }, "console=hvc0" },
		{ { .ports = 1, .virtio_port_count = 2 }, "console=uart,io,0x3f8" },
		{ { .ports = 8, .virtio_port_count = 1, .has_screen = true },
		  "console=uart,io,0x2e8 console=hvc0 console=tty0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_words(&cases[i].consoles, "", cases[i].words);
		expect_words(&cases[i].consoles, "quiet root=/dev/vda", cases[i].words);
		expect_words(&cases[i].consoles, "quiet console=ttyS1", "");
	}
}

static void consoles_that_are_named(void **state)
{
	static const struct serial_consoles port = { .ports = 1 };
	static const char expected[] = "console=uart,io,0x3f8";

	(void)state;
	expect_words(&port, "console=tty0", "");
	expect_words(&port, "a\tconsole=tty0 -- b", "");
	expect_words(&port, "\"console=ttyS0\"", "");
	expect_words(&port, "console=", "");
	expect_words(&port, "netconsole=x consoleblank=0 xconsole=1 console rd.console=ttyS0", expected);
	expect_words(&port, "a=\"b console=tty0\"", expected);
	/* The words behind -- are init's. */
	expect_words(&port, "quiet -- console=tty0", expected);
}

static void expect_line(const char *command_line, const char *added, const char *expected)
{
	/* Exactly the room, so that a sanitizer detects a write behind it. */
	char *place = malloc(serial_console_room(text_of_string(command_line), text_of_string(added)));
	struct text line = serial_console_write(text_of_string(command_line), text_of_string(added), place);

	assert_string_equal(place, expected);
	assert_ptr_equal(line.start, place);
	assert_int_equal(line.length, strlen(expected));
	assert_int_equal(serial_console_room(text_of_string(command_line), text_of_string(added)), line.length + 1);
	free(place);
}

static void where_the_words_go(void **state)
{
	(void)state;
	expect_line("", "", "");
	expect_line("a  b ", "", "a  b ");
	expect_line("a -- b", "", "a -- b");
	expect_line("", "console=d", "console=d");
	expect_line("a", "console=d console=e", "a console=d console=e");
	expect_line("a --b x=\"-- y\"", "console=d", "a --b x=\"-- y\" console=d");
	expect_line("a -- b", "console=d", "console=d a -- b");
	expect_line("a \"--\" b", "console=d console=e", "console=d console=e a \"--\" b");
	expect_line("a x=\"b c", "console=d", "console=d a x=\"b c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_of_a_pc), cmocka_unit_test(ports_of_virtio),
		cmocka_unit_test(other_consoles), cmocka_unit_test(broken_paths),
		cmocka_unit_test(words), cmocka_unit_test(consoles_that_are_named),
		cmocka_unit_test(where_the_words_go),
	};

	return run_named_tests(tests);
}
