// SPDX-License-Identifier: BSD-2-Clause
/* Lists initrds: files, sections of a unified image, the one registered before us, and those made here. */
#include "efi/load/initrd_list.h"

#include "boot/initrd.h"
#include "common/align.h"
#include "common/string.h"

static void add_section(struct initrd_list *list, enum unified_part section)
{
	list->initrds[list->count++] = (struct initrd){
		.kind = INITRD_SECTION,
		.section = section,
		.name = unified_section_name(section),
		.size = list->unified->image.sections[section].size,
	};
}

static enum kexec_status add_part(struct initrd_list *list, const struct boot_part *part, struct sources *sources)
{
	struct initrd *initrd = &list->initrds[list->count];
	enum kexec_status status;

	status = part_open(sources, part, &initrd->reader);
	if (status)
		return status;
	initrd->kind = INITRD_PART;
	initrd->name = part->name;
	initrd->size = part_size(&initrd->reader);
	list->count++;
	return KEXEC_OK;
}

/* Adds either the microcode sections, or all others. */
static void add_sections(struct initrd_list *list, bool microcode)
{
	size_t count = unified_initrd_count(&list->unified->image);

	for (size_t i = 0; i < count; i++) {
		enum unified_part section = unified_initrd(&list->unified->image, i);

		if ((section == UNIFIED_MICROCODE) == microcode)
			add_section(list, section);
	}
}

static void add_extra(struct initrd_list *list, struct extra *extra)
{
	list->initrds[list->count++] =
		(struct initrd){ .kind = INITRD_EXTRA, .extra = extra, .name = extra->name, .size = extra->size };
}

static void add_extras(struct initrd_list *list, const struct extras *extras, enum extra_order order)
{
	for (size_t i = 0; i < extras->count; i++) {
		/* If two microcode files are for one CPU, Linux takes the first. */
		struct extra *extra = &extras->list[order == EXTRA_MICROCODE ? extras->count - 1 - i : i];

		if (extra->order == order)
			add_extra(list, extra);
	}
}

/* Position of a part among the others. */
enum part_order {
	PART_MICROCODE, /* of our own image */
	PART_REGISTERED,
	PART_OF_IMAGE,
	PART_OF_ENTRY,
};

static enum part_order order_of(const struct boot_part *part)
{
	if (part->source == PART_FROM_LOADER)
		return PART_REGISTERED;
	if (part->source != PART_IN_IMAGE)
		return PART_OF_ENTRY;
	return strcmp(part->name, unified_section_name(UNIFIED_MICROCODE)) == 0 ? PART_MICROCODE : PART_OF_IMAGE;
}

static enum kexec_status add_parts(struct initrd_list *list, const struct boot_plan *plan, enum part_order order,
				   struct sources *sources)
{
	enum kexec_status status = KEXEC_OK;

	for (size_t i = 0; !status && i < plan->initrd_count; i++) {
		if (order_of(&plan->initrds[i]) == order)
			status = add_part(list, &plan->initrds[i], sources);
	}
	return status;
}

/*
 * The order is systemd-stub's: microcode, which Linux looks for only at the beginning; the one registered before us;
 * the unified image's own, or without an image the entry's; archives made here; the entry's additions to the image;
 * those of addons. Linux keeps the later of two files of one name.
 */
enum kexec_status initrd_list_fill(struct initrd_list *list, const struct boot_plan *plan, struct sources *sources,
				   const struct extras *extras)
{
	enum part_order before = list->is_unified ? PART_OF_IMAGE : PART_OF_ENTRY;
	enum part_order behind = list->is_unified ? PART_OF_ENTRY : PART_OF_IMAGE;
	enum kexec_status status;

	add_extras(list, extras, EXTRA_MICROCODE);
	add_sections(list, true);
	status = add_parts(list, plan, PART_MICROCODE, sources);
	if (!status)
		status = add_parts(list, plan, PART_REGISTERED, sources);
	if (status)
		return status;
	add_sections(list, false);
	status = add_parts(list, plan, before, sources);
	if (status)
		return status;
	add_extras(list, extras, EXTRA_ARCHIVE);
	status = add_parts(list, plan, behind, sources);
	if (status)
		return status;
	add_extras(list, extras, EXTRA_INITRD);
	return KEXEC_OK;
}

enum kexec_status initrd_list_plan(const struct initrd_list *list, uint64_t *ret_size)
{
	enum kexec_status status = KEXEC_OK;
	uint64_t size = 0;

	for (size_t i = 0; !status && i < list->count; i++) {
		struct initrd *initrd = &list->initrds[i];

		status = initrd_append(initrd->name, initrd->size, &size, &initrd->offset);
	}
	*ret_size = list->is_unified && list->count > 1 ? align_up(size, INITRD_ALIGN) : size;
	return status;
}

uint64_t initrd_list_size(const struct initrd_list *list, size_t first, size_t last)
{
	return list->initrds[last].offset + list->initrds[last].size - list->initrds[first].offset;
}

size_t initrd_list_registered(const struct initrd_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct initrd *initrd = &list->initrds[i];

		if (initrd->kind == INITRD_PART && initrd->reader.part->source == PART_FROM_LOADER)
			return i;
	}
	return list->count;
}

/* The last initrd that is not made here: loaders before us know only those. */
static size_t last_part(const struct initrd_list *list)
{
	size_t last = list->count - 1;

	while (last && list->initrds[last].kind == INITRD_EXTRA)
		last--;
	return last;
}

uint64_t initrd_list_named_size(const struct initrd_list *list)
{
	size_t last;

	if (!list->count)
		return 0;
	last = last_part(list);
	return list->initrds[last].kind == INITRD_EXTRA ? 0 : initrd_list_size(list, 0, last);
}

size_t initrd_list_twin(const struct initrd_list *list, size_t registered)
{
	for (size_t i = registered + 1; i < list->count; i++) {
		uint64_t size = list->initrds[registered].size;
		uint64_t named;

		if (list->initrds[i].kind != INITRD_PART)
			continue;
		named = initrd_list_size(list, i, last_part(list));
		if (size >= named && align_up(size, INITRD_ALIGN) == align_up(named, INITRD_ALIGN))
			return i;
	}
	return list->count;
}

void initrd_list_leave_out(struct initrd_list *list, size_t index)
{
	part_close(&list->initrds[index].reader);
	list->count--;
	for (size_t i = index; i < list->count; i++)
		list->initrds[i] = list->initrds[i + 1];
}

void initrd_list_close(const struct initrd_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		part_close(&list->initrds[i].reader);
}
