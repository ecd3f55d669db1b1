// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of partitions, as Linux and blkid have them ("PARTUUID="; Linux, block/partitions/efi.c and msdos.c): the GUID
 * that a GPT gives a partition, or the signature of a disk with an MBR and the partition's number.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

/* The text with its NUL. */
#define PARTUUID_SIZE 37

/* The GUID as it lies on the disk, as text in lower case. */
void partuuid_of_gpt(const uint8_t guid[16], char ret_partuuid[PARTUUID_SIZE]);

/* The four bytes at 440 of the MBR, as they lie there. Numbers of logical partitions differ between systems. */
void partuuid_of_mbr(const uint8_t signature[4], uint32_t number, char ret_partuuid[PARTUUID_SIZE]);

/* What an entry calls the partitions that are known by their type. */
#define VOLUME_ESP "esp"
#define VOLUME_XBOOTLDR "xbootldr"

/*
 * Reads the value of the key `volume`: one of these, or a PARTUUID in either case. It may have PARTUUID= or
 * /dev/disk/by-partuuid/ before it, and quotes or braces around it, as blkid and others print it. Writes it as the
 * functions above do; returns false if it is neither.
 */
bool volume_parse(struct text value, char ret_volume[PARTUUID_SIZE]);

/* For a value that volume_parse refuses: what was expected in its place. */
const char *volume_expected(struct text value);
