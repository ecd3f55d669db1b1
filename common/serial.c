// SPDX-License-Identifier: BSD-2-Clause
/* Writes to a 16550 UART at the PC's address of COM1, by polling. */
#include "common/serial.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	COM1 = 0x3f8,
	TRANSMIT_HOLDING = 0,
	LINE_STATUS = 5,
	LINE_STATUS_TRANSMIT_EMPTY = 1 << 5,
	LINE_STATUS_NO_PORT = 0xff, /* a read of the bus where no device answers */
};

/* One character takes 87 us at 115200 baud and 8 ms at 1200; a read of the port takes about 1 us. */
#define POLLS_MAX 100000

static uint8_t read_port(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void write_port(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static bool wait_until_empty(void)
{
	for (unsigned i = 0; i < POLLS_MAX; i++) {
		uint8_t status = read_port(COM1 + LINE_STATUS);

		if (status == LINE_STATUS_NO_PORT)
			return false;
		if (status & LINE_STATUS_TRANSMIT_EMPTY)
			return true;
	}
	return false;
}

static bool put(char c)
{
	if (!wait_until_empty())
		return false;
	write_port(COM1 + TRANSMIT_HOLDING, (uint8_t)c);
	return true;
}

void serial_write(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n' && !put('\r'))
			return;
		if (!put(*text))
			return;
	}
}
