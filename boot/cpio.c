// SPDX-License-Identifier: BSD-2-Clause
/* Writes archives. */
#include "boot/cpio.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"

#define MAGIC "070701"
#define WORDS 13u
#define WORD_SIZE 8u
#define HEADER_SIZE (sizeof(MAGIC) - 1 + (size_t)WORDS * WORD_SIZE)

/* Header and content of each member begin at a multiple of this. */
#define MEMBER_ALIGN 4u

#define FOLDER_TYPE 0040000u /* S_IFDIR and S_IFREG (inode(7)) */
#define FILE_TYPE 0100000u
#define PARENT_MODE 0555u

/* Upper limit of an archive, so that no sum of sizes wraps. */
#define SIZE_MAX_OF_ALL (1ull << 62)

struct member {
	const char *folder;
	size_t folder_length;
	const char *name; /* NULL: the folder itself */
	uint32_t mode;
	uint32_t size;
};

static enum kexec_status check_room(const struct cpio *cpio, uint64_t size)
{
	uint64_t capacity = cpio->bytes ? cpio->capacity : SIZE_MAX_OF_ALL;

	if (size <= capacity && cpio->size <= capacity - size)
		return KEXEC_OK;
	return log_error(KEXEC_TOO_LARGE, "archive of %s: expected at most 0x%lx bytes, found 0x%lx and 0x%lx more",
			 cpio->folder->path, capacity, cpio->size, size);
}

/* The caller has checked that there is room. */
static void put(struct cpio *cpio, const void *bytes, size_t size)
{
	if (cpio->bytes)
		memcpy(cpio->bytes + cpio->size, bytes, size);
	cpio->size += size;
}

static void put_padding(struct cpio *cpio)
{
	static const uint8_t zeros[MEMBER_ALIGN];

	put(cpio, zeros, align_up(cpio->size, MEMBER_ALIGN) - cpio->size);
}

/* In the order of struct cpio_newc_header: inode, mode, owner, group, links, time, size, four devices, name, check. */
static void put_header(struct cpio *cpio, const struct member *member, size_t name_size)
{
	const uint32_t words[WORDS] = {
		[0] = cpio->inode, [1] = member->mode, [4] = 1, [6] = member->size, [11] = (uint32_t)name_size
	};

	put(cpio, MAGIC, sizeof(MAGIC) - 1);
	for (size_t i = 0; i < WORDS; i++) {
		char word[WORD_SIZE + 1];

		format_text(word, sizeof(word), "%08x", words[i]);
		put(cpio, word, WORD_SIZE);
	}
	cpio->inode++;
}

static size_t path_length(const struct member *member)
{
	return member->folder_length + (member->name ? sizeof("/") - 1 + strlen(member->name) : 0);
}

/* Writes everything in front of the content. */
static enum kexec_status put_member(struct cpio *cpio, const struct member *member)
{
	size_t length = path_length(member);
	enum kexec_status status = check_room(cpio, align_up(HEADER_SIZE + length + 1, MEMBER_ALIGN) +
							    align_up(member->size, MEMBER_ALIGN));

	if (status)
		return status;
	put_header(cpio, member, length + 1);
	put(cpio, member->folder, member->folder_length);
	if (member->name) {
		put(cpio, "/", 1);
		put(cpio, member->name, strlen(member->name));
	}
	put(cpio, "", 1);
	put_padding(cpio);
	return KEXEC_OK;
}

enum kexec_status cpio_start(struct cpio *ret_cpio, const struct cpio_folder *folder, void *bytes, uint64_t capacity)
{
	struct member member = { .folder = folder->path, .mode = FOLDER_TYPE | PARENT_MODE };
	enum kexec_status status = KEXEC_OK;

	*ret_cpio = (struct cpio){ .folder = folder, .bytes = bytes, .capacity = capacity, .inode = 1 };
	for (; !status && folder->path[member.folder_length]; member.folder_length++) {
		if (folder->path[member.folder_length] == '/')
			status = put_member(ret_cpio, &member);
	}
	member.mode = FOLDER_TYPE | folder->mode;
	return status ? status : put_member(ret_cpio, &member);
}

enum kexec_status cpio_add_file(struct cpio *cpio, const char *name, uint64_t size, uint8_t **ret_content)
{
	const struct member member = {
		.folder = cpio->folder->path,
		.folder_length = strlen(cpio->folder->path),
		.name = name,
		.mode = FILE_TYPE | cpio->folder->file_mode,
		.size = (uint32_t)size,
	};
	enum kexec_status status;

	if (size > UINT32_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes in an initrd, found %lu", name,
				 UINT32_MAX, size);
	status = put_member(cpio, &member);
	if (status)
		return status;
	*ret_content = cpio->bytes ? cpio->bytes + cpio->size : NULL;
	cpio->size += size;
	put_padding(cpio);
	return KEXEC_OK;
}

/* systemd-stub writes the size of this name in capitals, and every other number in small letters. */
enum kexec_status cpio_finish(struct cpio *cpio)
{
#define ZERO "00000000"
	static const char trailer[] =
		MAGIC ZERO ZERO ZERO ZERO "00000001" ZERO ZERO ZERO ZERO ZERO ZERO "0000000B" ZERO "TRAILER!!!";
#undef ZERO
	enum kexec_status status = check_room(cpio, align_up(sizeof(trailer), MEMBER_ALIGN));

	if (status)
		return status;
	put(cpio, trailer, sizeof(trailer));
	put_padding(cpio);
	return KEXEC_OK;
}
