// SPDX-License-Identifier: BSD-2-Clause
/* Steps through archives and frames as Linux does. */
#include "boot/initrd_content.h"

#include "boot/initrd.h"
#include "boot/log.h"
#include "boot/text.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"

/* Documentation/driver-api/early-userspace/buffer-format.rst: the header has a magic of 6 bytes and 13 fields of 8. */
enum {
	CPIO_HEADER_SIZE = 110,
	CPIO_FILE_SIZE = 54,
	CPIO_NAME_SIZE = 94,
};

/* The legacy frame of lz4's doc/lz4_Frame_format.md: blocks without an end mark, each behind its size in 4 bytes. */
#define LZ4_LEGACY_MAGIC 0x184c2102u

#define MICROCODE "kernel/x86/microcode/"

/* Microcode comes first in an archive, behind a few directories at most. */
#define MICROCODE_MEMBERS 8u

/* Tools pad to 512 bytes or to a page. Give up on an archive with more padding than this. */
#define PADDING_MAX 8192u

/* The unread rest of an initrd. */
struct rest {
	const uint8_t *bytes;
	uint64_t size;
};

static void drop(struct rest *rest, uint64_t count)
{
	rest->bytes += count;
	rest->size -= count;
}

static bool begins_with(const struct rest *rest, uint64_t offset, struct text bytes)
{
	return rest->size >= offset && rest->size - offset >= bytes.length &&
	       memcmp(rest->bytes + offset, bytes.start, bytes.length) == 0;
}

static uint32_t read_le32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/*
 * Reads 8 hexadecimal digits. Other characters may give another value than Linux's; then there is no header at the next
 * place.
 */
static uint64_t read_hex(const uint8_t *digits)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++) {
		uint8_t small = digits[i] | 0x20;

		value = value << 4 | (small >= 'a' && small <= 'f' ? small - 'a' + 10u : digits[i] & 0xfu);
	}
	return value;
}

static bool is_member(const struct rest *rest)
{
	return rest->size >= CPIO_HEADER_SIZE &&
	       (begins_with(rest, 0, TEXT("070701")) || begins_with(rest, 0, TEXT("070702")));
}

/* Skips a member of an archive. Returns false if it does not end within the initrd. */
static bool drop_member(struct rest *rest)
{
	uint64_t name_end = align_up(CPIO_HEADER_SIZE + read_hex(rest->bytes + CPIO_NAME_SIZE), INITRD_ALIGN);
	uint64_t end = align_up(name_end + read_hex(rest->bytes + CPIO_FILE_SIZE), INITRD_ALIGN);

	/* No sum wraps, because both numbers have 32 bits. The last member need not be padded. */
	if (end > rest->size && end - rest->size >= INITRD_ALIGN)
		return false;
	drop(rest, end < rest->size ? end : rest->size);
	return true;
}

/*
 * Skips members and the zeros between them, up to the first byte of something else or the end. Returns whether there
 * was a member.
 */
static bool drop_archives(struct rest *rest)
{
	uint32_t padding = 0;
	bool has_member = false;

	while (rest->size) {
		if (*rest->bytes == 0 && padding < PADDING_MAX) {
			drop(rest, 1);
			padding++;
		} else if (is_member(rest) && drop_member(rest)) {
			padding = 0;
			has_member = true;
		} else {
			break;
		}
	}
	return has_member;
}

enum lz4_end {
	LZ4_ENDS,   /* with a size of 0, or unknown */
	LZ4_OPEN,   /* at the end of the initrd; Linux takes the next 4 bytes for a size, whatever they are */
	LZ4_BROKEN, /* with something that is not the size of a block */
};

static enum lz4_end find_end(struct rest rest)
{
	while (rest.size >= 4) {
		uint32_t size = read_le32(rest.bytes);

		drop(&rest, 4);
		if (size == LZ4_LEGACY_MAGIC)
			continue;
		/* A size of 0 ends the frame, since Linux 5.14. */
		if (!size)
			return LZ4_ENDS;
		if (size > rest.size)
			return LZ4_BROKEN;
		drop(&rest, size);
	}
	return rest.size ? LZ4_ENDS : LZ4_OPEN;
}

static bool is_lz4(const struct rest *rest)
{
	return rest->size >= 4 && read_le32(rest->bytes) == LZ4_LEGACY_MAGIC;
}

/* Checks the previous initrd, which has another behind it. */
static void look_behind(struct initrd_look *look, const char *name, const struct rest *next)
{
	struct rest rest = { .bytes = look->bytes, .size = look->size };
	bool joins = look->size % INITRD_ALIGN == 0 && is_lz4(next);

	drop_archives(&rest);
	if (rest.size && *rest.bytes && !is_member(&rest) && !look->compressed)
		look->compressed = look->name;
	/* A frame right behind a frame continues it. */
	if (is_lz4(&rest) && find_end(rest) == LZ4_OPEN && !joins)
		log_warning("%s: expected an initrd in lz4 to be the last one, found %s behind it: Linux loses all "
			    "that follows; name it last, or compress it otherwise",
			    look->name, name);
}

static bool has_microcode(struct rest rest)
{
	for (unsigned i = 0; i < MICROCODE_MEMBERS && is_member(&rest); i++) {
		if (begins_with(&rest, CPIO_HEADER_SIZE, TEXT(MICROCODE)))
			return true;
		if (!drop_member(&rest))
			return false;
	}
	return false;
}

/* Names a kind of file that no kernel unpacks, whatever its configuration. */
static const char *foreign_kind(const struct rest *rest)
{
	static const struct {
		uint16_t offset;
		uint8_t length;
		char bytes[13];
		char kind[28];
	} kinds[] = {
		{ 0, 2, "MZ", "an EFI application" },
		{ 0, 4, "\x7f\x45LF", "an ELF file" },
		{ 0, 4, "\x04\x22\x4d\x18", "lz4 not made by lz4 -l" },
		{ 0, 6, "070707", "cpio not made by -H newc" },
		{ 0, 2, "\xc7\x71", "cpio not made by -H newc" },
		{ 257, 5, "ustar", "a tar archive" },
		{ 0, 4, "PK\x03\x04", "a zip archive" },
		{ 0, 4, "\x27\x05\x19\x56", "an image of U-Boot's" },
		{ 0, 5, "<html", "a web page" },
		{ 0, 9, "<!DOCTYPE", "a web page" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (begins_with(rest, kinds[i].offset,
				(struct text){ .start = kinds[i].bytes, .length = kinds[i].length }))
			return kinds[i].kind;
	}
	return NULL;
}

/*
 * Whether Linux may unpack it (lib/decompress.c), or take it for a file system of an initrd of the old kind
 * (init/do_mounts_rd.c).
 */
static bool may_be_known(const struct rest *rest)
{
	static const struct {
		uint16_t offset;
		uint8_t length;
		char bytes[9];
	} kinds[] = {
		{ 0, 2, "\x1f\x8b" },	 { 0, 2, "\x1f\x9e" },	       { 0, 2, "BZ" },
		{ 0, 2, "\x5d\0" },	 { 0, 2, "\xfd\x37" },	       { 0, 2, "\x89L" },
		{ 0, 2, "\x02\x21" },	 { 0, 2, "\x28\xb5" },	       { 0, 4, "hsqs" },
		{ 0, 8, "-rom1fs-" },	 { 0, 4, "\x45\x3d\xcd\x28" }, { 1080, 2, "\x53\xef" },
		{ 1040, 2, "\x7f\x13" }, { 1040, 2, "\x8f\x13" },      { 1040, 2, "\x68\x24" },
		{ 1040, 2, "\x78\x24" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (begins_with(rest, kinds[i].offset,
				(struct text){ .start = kinds[i].bytes, .length = kinds[i].length }))
			return true;
	}
	return false;
}

/* Documentation/admin-guide/bootconfig.rst: the last bytes of an initrd, except up to three bytes of padding. */
#define BOOTCONFIG "#BOOTCONFIG\n"

static bool ends_in_bootconfig(const struct rest *whole)
{
	struct text end = { .start = (const char *)whole->bytes, .length = whole->size };

	text_drop(&end, end.length - text_quote(end, sizeof(BOOTCONFIG) + 2).length);
	return text_contains(end, TEXT(BOOTCONFIG));
}

/* Bytes of a file that a message shows: the beginning of a text, or SHOWN_BYTES of any other file. */
#define SHOWN_MAX 40u
#define SHOWN_BYTES 4u

static void show(const struct rest *rest, char ret_shown[SHOWN_MAX + 1])
{
	size_t length = 0;
	size_t used = 0;

	while (length < rest->size && length < SHOWN_MAX && rest->bytes[length] >= ' ' && rest->bytes[length] <= '~')
		length++;
	if (length >= SHOWN_BYTES) {
		format_text(ret_shown, SHOWN_MAX + 1, "%.*s", (int)length, (const char *)rest->bytes);
		return;
	}
	for (size_t i = 0; i < rest->size && i < SHOWN_BYTES; i++)
		used += format_text(ret_shown + used, SHOWN_MAX + 1 - used, i ? " %02x" : "%02x", rest->bytes[i]);
}

static void warn_of_unknown(const char *name, const struct rest *rest, bool is_behind)
{
	char shown[SHOWN_MAX + 1] = "";

	show(rest, shown);
	log_warning("%s: expected an archive that Linux unpacks, found something else%s (%s)", name,
		    is_behind ? " behind one" : "", shown);
}

/* A shorter file is a dummy, for users who must name an initrd and need none. */
#define CONTENT_MIN 16u

/*
 * Warns of content that is neither known nor named, or is truncated. From there on Linux loses this initrd, and all
 * that follow.
 */
static void look_inside(const char *name, const struct rest *whole)
{
	struct rest rest = *whole;
	bool has_member = drop_archives(&rest);

	if (whole->size < CONTENT_MIN)
		return;
	if (!rest.size && !has_member)
		log_warning("%s: expected an archive that Linux unpacks, found zeros", name);
	/* Behind more zeros than drop_archives skips there may be anything. */
	if (!rest.size || *rest.bytes == 0 || may_be_known(whole) || may_be_known(&rest) || ends_in_bootconfig(whole))
		return;
	if (begins_with(&rest, 0, TEXT("07070")))
		log_warning("%s: expected a whole archive, found that it ends within a member: was it cut off?", name);
	else
		warn_of_unknown(name, &rest, has_member);
}

void initrd_look(struct initrd_look *look, const char *name, const uint8_t *bytes, uint64_t size)
{
	const struct rest rest = { .bytes = bytes, .size = size };
	const char *kind = foreign_kind(&rest);

	if (kind)
		log_warning("%s: expected an archive that Linux unpacks, found %s", name, kind);
	else
		look_inside(name, &rest);
	if (is_lz4(&rest) && find_end(rest) == LZ4_BROKEN)
		log_warning("%s: expected lz4 up to the end, found something else behind it: Linux loses all from "
			    "there on; "
			    "put it last, or compress it otherwise",
			    name);
	if (look->name)
		look_behind(look, name, &rest);
	if (look->compressed && has_microcode(rest))
		log_warning("%s: expected microcode ahead of compressed initrds, found it behind %s: Linux looks no "
			    "further when it starts; name it first",
			    name, look->compressed);
	look->name = name;
	look->bytes = bytes;
	look->size = size;
}
