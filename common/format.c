// SPDX-License-Identifier: BSD-2-Clause
/* The formatter behind every message, in loader and purgatory. */
#include "common/format.h"

#include <stdbool.h>
#include <stdint.h>

/* Receives the characters, and drops those past the end. */
struct sink {
	char *next;
	char *end;
};

/* One conversion: %[0][width][.precision][l|ll|z]verb */
struct conversion {
	bool pad_with_zeros;
	bool is_long;
	size_t width;
	size_t precision; /* SIZE_MAX: none given */
	char verb;
	const char *spelling; /* from the % on */
	size_t spelling_length;
	bool is_negative; /* of the number to convert */
};

static void put(struct sink *sink, char c)
{
	if (sink->next < sink->end)
		*sink->next++ = c;
}

static void put_padded(struct sink *sink, const struct conversion *conversion, const char *text, size_t length)
{
	for (size_t i = length; i < conversion->width; i++)
		put(sink, conversion->pad_with_zeros ? '0' : ' ');
	for (size_t i = 0; i < length; i++)
		put(sink, text[i]);
}

static void put_string(struct sink *sink, struct conversion *conversion, const char *text)
{
	size_t length = 0;

	conversion->pad_with_zeros = false;
	while (length < conversion->precision && text[length])
		length++;
	put_padded(sink, conversion, text, length);
}

static void put_number(struct sink *sink, struct conversion *conversion, uint64_t value, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	/* Zeros go between sign and digits, blanks in front of both. */
	if (conversion->is_negative && conversion->pad_with_zeros) {
		put(sink, '-');
		conversion->width -= conversion->width ? 1 : 0;
	} else if (conversion->is_negative) {
		digits[--at] = '-';
	}
	put_padded(sink, conversion, digits + at, sizeof(digits) - at);
}

static size_t read_number(const char **format)
{
	size_t value = 0;

	while (**format >= '0' && **format <= '9')
		value = value * 10 + (size_t)(*(*format)++ - '0');
	return value;
}

/* `args` is passed by pointer because a `*` takes one. The inner pointer keeps va_list's array type out of it. */
struct arguments {
	va_list list;
};

static const char *read_conversion(const char *format, struct arguments *args, struct conversion *ret_conversion)
{
	struct conversion conversion = { .precision = SIZE_MAX, .spelling = format };

	format++;
	if (*format == '0') {
		conversion.pad_with_zeros = true;
		format++;
	}
	conversion.width = read_number(&format);
	if (*format == '.') {
		format++;
		if (*format == '*') {
			format++;
			conversion.precision = (size_t)va_arg(args->list, int);
		} else {
			conversion.precision = read_number(&format);
		}
	}
	while (*format == 'l' || *format == 'z') {
		conversion.is_long = true;
		format++;
	}
	conversion.verb = *format;
	if (*format)
		format++;
	conversion.spelling_length = (size_t)(format - conversion.spelling);
	*ret_conversion = conversion;
	return format;
}

static uint64_t take_unsigned(const struct conversion *conversion, struct arguments *args)
{
	return conversion->is_long ? va_arg(args->list, uint64_t) : va_arg(args->list, uint32_t);
}

static int64_t take_signed(const struct conversion *conversion, struct arguments *args)
{
	return conversion->is_long ? va_arg(args->list, int64_t) : va_arg(args->list, int32_t);
}

static void convert(struct sink *sink, struct conversion *conversion, struct arguments *args)
{
	char character;
	int64_t number;

	switch (conversion->verb) {
	case 's':
		put_string(sink, conversion, va_arg(args->list, const char *));
		break;
	case 'c':
		character = (char)va_arg(args->list, int);
		put_padded(sink, conversion, &character, 1);
		break;
	case 'd':
		number = take_signed(conversion, args);
		conversion->is_negative = number < 0;
		put_number(sink, conversion, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10);
		break;
	case 'u':
		put_number(sink, conversion, take_unsigned(conversion, args), 10);
		break;
	case 'x':
		put_number(sink, conversion, take_unsigned(conversion, args), 16);
		break;
	case '%':
		put(sink, '%');
		break;
	default:
		conversion->width = 0;
		put_padded(sink, conversion, conversion->spelling, conversion->spelling_length);
		break;
	}
}

size_t format_text_va(char *buffer, size_t size, const char *format, va_list args)
{
	struct sink sink = { .next = buffer, .end = buffer + size - 1 };
	struct conversion conversion;
	struct arguments arguments;

	va_copy(arguments.list, args);
	while (*format) {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format = read_conversion(format, &arguments, &conversion);
		convert(&sink, &conversion, &arguments);
	}
	va_end(arguments.list);

	*sink.next = '\0';
	return (size_t)(sink.next - buffer);
}

size_t format_text(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_text_va(buffer, size, format, args);
	va_end(args);
	return length;
}
