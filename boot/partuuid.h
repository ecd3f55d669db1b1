// SPDX-License-Identifier: BSD-2-Clause
/*
 * PARTUUIDs, in the form of Linux and blkid (Linux, block/partitions/efi.c and msdos.c): the GUID that a GPT gives a
 * partition, or the signature of a disk with an MBR and the partition's number.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

/* The text with its NUL. */
#define PARTUUID_SIZE 37

/* Converts a GUID, as it lies on the disk, to text in lower case. */
void partuuid_of_gpt(const uint8_t guid[16], char ret_partuuid[PARTUUID_SIZE]);

/* `signature` is the four bytes at offset 440 of the MBR. Numbers of logical partitions differ between systems. */
void partuuid_of_mbr(const uint8_t signature[4], uint32_t number, char ret_partuuid[PARTUUID_SIZE]);

/* An entry's names for the partitions that are found by their type. */
#define VOLUME_ESP "esp"
#define VOLUME_XBOOTLDR "xbootldr"

/*
 * Parses the value of the key `volume`: one of these names, or a PARTUUID in either case. PARTUUID= or
 * /dev/disk/by-partuuid/ may stand in front of a PARTUUID, and quotes or braces around it, as blkid and others print
 * them. Writes it in the form of the functions above. Returns false for any other value.
 */
bool volume_parse(struct text value, char ret_volume[PARTUUID_SIZE]);

/* Describes what was expected in place of a value that volume_parse refuses. */
const char *volume_expected(struct text value);
