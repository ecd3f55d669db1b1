// SPDX-License-Identifier: BSD-2-Clause
/* Variables: valid ones, planted ones, and wrong answers of the firmware. */
#include "efi/services/variable.h"

#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

static const EFI_GUID vendor = { 1, 2, 3, { 4 } };

/* A variable of four to eight bytes that an operating system leaves. */
static const struct variable wanted = {
	.name = L"Wanted",
	.vendor = { 1, 2, 3, { 4 } },
	.required = VARIABLE_BOOT | VARIABLE_STORED,
	.forbidden = EFI_VARIABLE_RUNTIME_ACCESS,
	.size_min = 4,
	.size_max = 8,
};

static const uint8_t bytes[FAKE_VALUE_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
static struct variable_reading reading;

static struct fake_variable *leave(uint32_t attributes, size_t size)
{
	return fake_variable_leave(wanted.name, &vendor, attributes, bytes, size);
}

static enum variable_state read(uint8_t ret_value[8])
{
	memset(ret_value, 0x55, 8);
	return variable_read(&wanted, ret_value, &reading);
}

/* Reads the variable, and asserts that no byte of its value is returned. */
static enum variable_state read_nothing(void)
{
	static const uint8_t zeros[8];
	uint8_t value[9] = { [8] = 0xaa };
	enum variable_state state = read(value);

	assert_memory_equal(value, zeros, sizeof(zeros));
	assert_int_equal(value[8], 0xaa);
	return state;
}

static const char *explained(enum variable_state state)
{
	static char text[VARIABLE_EXPLANATION_SIZE];

	variable_explain(&wanted, state, &reading, text);
	return text;
}

static void found(void **state)
{
	uint8_t value[8];

	(void)state;
	fake_firmware_start(NULL, 0);
	for (size_t size = 4; size <= 8; size++) {
		leave(VARIABLE_BOOT | VARIABLE_STORED, size);
		assert_int_equal(read(value), VARIABLE_FOUND);
		assert_memory_equal(value, bytes, size);
		assert_int_equal(reading.size, size);
		assert_int_equal(reading.attributes, 3);
	}
	/* Attributes that are neither required nor forbidden. */
	leave(VARIABLE_BOOT | VARIABLE_STORED | EFI_VARIABLE_HARDWARE_ERROR_RECORD, 4);
	assert_int_equal(read(value), VARIABLE_FOUND);
}

static void absent(void **state)
{
	EFI_GUID other = { 1, 2, 3, { 5 } };

	(void)state;
	fake_firmware_start(NULL, 0);
	fake_variable_leave(wanted.name, &other, 3, bytes, 4);
	fake_variable_leave(L"Wante", &vendor, 3, bytes, 4);
	assert_int_equal(read_nothing(), VARIABLE_ABSENT);
	assert_int_equal(variable_look(&wanted, &reading), VARIABLE_ABSENT);
}

static void wrong_attributes(void **state)
{
	static const uint32_t attributes[] = { 1, 2, 4, 5, 6, 7, 0x26, 0x27 };

	(void)state;
	fake_firmware_start(NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		leave(attributes[i], 4);
		assert_int_equal(read_nothing(), VARIABLE_WRONG_ATTRIBUTES);
		assert_int_equal(reading.attributes, attributes[i]);
		assert_int_equal(variable_look(&wanted, &reading), VARIABLE_WRONG_ATTRIBUTES);
	}
	assert_string_equal(explained(VARIABLE_WRONG_ATTRIBUTES),
			    "expected attributes 0x3 and none of 0x4, found 0x27");
	/* Whatever its size is. */
	leave(7, 100);
	assert_int_equal(read_nothing(), VARIABLE_WRONG_ATTRIBUTES);
	/* Every variable has at least one attribute. */
	leave(0, 4);
	assert_int_equal(read_nothing(), VARIABLE_WRONG_ATTRIBUTES);
	assert_int_equal(variable_look(&wanted, &reading), VARIABLE_UNREADABLE);
}

static void wrong_size(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave(3, 3);
	assert_int_equal(read_nothing(), VARIABLE_WRONG_SIZE);
	assert_string_equal(explained(VARIABLE_WRONG_SIZE), "expected at least 4 bytes, found 3");
	leave(3, 9);
	assert_int_equal(read_nothing(), VARIABLE_WRONG_SIZE);
	assert_string_equal(explained(VARIABLE_WRONG_SIZE), "expected at most 8 bytes, found 9");
	fake_firmware.hides_attributes = true;
	assert_int_equal(read_nothing(), VARIABLE_WRONG_SIZE);
	leave(3, 0);
	assert_int_equal(read_nothing(), VARIABLE_WRONG_SIZE);
}

static void one_size(void **state)
{
	struct variable byte = wanted;
	char text[VARIABLE_EXPLANATION_SIZE];
	uint8_t value = 0x55;

	(void)state;
	fake_firmware_start(NULL, 0);
	byte.size_min = byte.size_max = 1;
	leave(3, 2);
	assert_int_equal(variable_read(&byte, &value, &reading), VARIABLE_WRONG_SIZE);
	assert_int_equal(value, 0);
	variable_explain(&byte, VARIABLE_WRONG_SIZE, &reading, text);
	assert_string_equal(text, "expected 1 bytes, found 2");
}

/* The firmware cannot have written more than was requested. */
static void size_that_the_buffer_does_not_have(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave(3, 8)->size_lie = 9;
	assert_int_equal(read_nothing(), VARIABLE_WRONG_SIZE);
	leave(3, 8)->size_lie = (UINTN)-1;
	assert_int_equal(read_nothing(), VARIABLE_WRONG_SIZE);
}

static void unreadable(void **state)
{
	static const EFI_STATUS statuses[] = { EFI_DEVICE_ERROR, EFI_SECURITY_VIOLATION, EFI_INVALID_PARAMETER,
					       EFI_UNSUPPORTED, 5 };

	(void)state;
	fake_firmware_start(NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		leave(3, 4)->read_status = statuses[i];
		assert_int_equal(read_nothing(), VARIABLE_UNREADABLE);
		assert_int_equal(variable_look(&wanted, &reading), VARIABLE_UNREADABLE);
	}
	leave(3, 4)->read_status = EFI_DEVICE_ERROR;
	read_nothing();
	assert_string_equal(explained(VARIABLE_UNREADABLE), "expected a value, found DEVICE_ERROR");
}

static void attributes_of_a_large_one(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	for (int hides = 0; hides < 2; hides++) {
		fake_firmware.hides_attributes = hides;
		leave(3, 1000);
		assert_int_equal(variable_look(&wanted, &reading), VARIABLE_FOUND);
		leave(7, 1000);
		assert_int_equal(variable_look(&wanted, &reading), VARIABLE_WRONG_ATTRIBUTES);
		assert_int_equal(reading.attributes, 7);
	}
	assert_int_equal(fake_firmware.pool_calls, 2);
	assert_int_equal(fake_firmware.pool_held, 0);
	fake_firmware.pool_fails_at = 3;
	assert_int_equal(variable_look(&wanted, &reading), VARIABLE_UNREADABLE);
}

static void deleted(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	assert_true(variable_delete(&wanted) == EFI_SUCCESS);
	leave(7, 4);
	assert_true(variable_delete(&wanted) == EFI_SUCCESS);
	assert_int_equal(fake_firmware.variable_count, 0);
	leave(0x27, 4);
	assert_true(variable_delete(&wanted) == EFI_SECURITY_VIOLATION);
	leave(7, 4);
	fake_firmware.keeps_variables = true;
	assert_true(variable_delete(&wanted) == EFI_WRITE_PROTECTED);
	fake_firmware.set_status = EFI_DEVICE_ERROR;
	assert_true(variable_delete(&wanted) == EFI_DEVICE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(absent),
		cmocka_unit_test(wrong_attributes),
		cmocka_unit_test(wrong_size),
		cmocka_unit_test(one_size),
		cmocka_unit_test(size_that_the_buffer_does_not_have),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(attributes_of_a_large_one),
		cmocka_unit_test(deleted),
	};

	return run_named_tests(tests);
}
