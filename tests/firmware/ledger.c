// SPDX-License-Identifier: BSD-2-Clause
/* Records the resources that the image has not freed yet, and the most memory that it held. */
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "tests/firmware/difficult.h"

static struct {
	enum holding kind;
	uint64_t what; /* 0: an unused line */
	uint64_t size;
} lines[1024];

/* In bytes: held by the image itself, and by images that it loaded. */
static uint64_t held[2];
static uint64_t most_held[2];

static bool is_image(enum holding kind)
{
	return kind == HOLDING_IMAGE;
}

void ledger_add(enum holding kind, uint64_t what, uint64_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (lines[i].what)
			continue;
		lines[i].kind = kind;
		lines[i].what = what;
		lines[i].size = size;
		held[is_image(kind)] += size;
		if (held[is_image(kind)] > most_held[is_image(kind)])
			most_held[is_image(kind)] = held[is_image(kind)];
		return;
	}
	say("the ledger is full");
}

void ledger_remove(enum holding kind, uint64_t what)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (lines[i].what != what || lines[i].kind != kind)
			continue;
		lines[i].what = 0;
		held[is_image(kind)] -= lines[i].size;
		return;
	}
	say("gave back what it did not hold: kind %u, 0x%lx", kind, what);
}

unsigned ledger_count(enum holding kind)
{
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		count += lines[i].what && lines[i].kind == kind;
	return count;
}

uint64_t ledger_most_held(void)
{
	return most_held[false];
}

uint64_t ledger_most_loaded(void)
{
	return most_held[true];
}

void ledger_release(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		void *what = phys_to_ptr(lines[i].what);

		if (!what)
			continue;
		switch (lines[i].kind) {
		case HOLDING_PAGES:
			firmware_boot_services->FreePages(lines[i].what, lines[i].size / PAGE_SIZE);
			break;
		case HOLDING_POOL:
			firmware_boot_services->FreePool(what);
			break;
		case HOLDING_FILE:
			((EFI_FILE_HANDLE)what)->Close(what);
			break;
		case HOLDING_IMAGE:
			firmware_boot_services->UnloadImage(what);
			break;
		case HOLDING_KINDS:
			break;
		}
		lines[i].what = 0;
	}
	memset(held, 0, sizeof(held));
	memset(most_held, 0, sizeof(most_held));
}
