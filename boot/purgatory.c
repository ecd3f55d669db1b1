// SPDX-License-Identifier: BSD-2-Clause
/* Loads the purgatory, and reads and writes its symbols. */
#include "boot/purgatory.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"

static enum kexec_status add_segment(struct kexec_image *kexec_image, struct purgatory *purgatory)
{
	const struct elf_rel *object = &purgatory->object;
	struct segment_request request = {
		.name = "purgatory",
		.bufsz = object->file_size,
		.memsz = object->mem_size,
		.stage = DIGEST_NONE,
		.memory = {
			.kind = MEMORY_CODE,
			.top_down = true,
			.size = object->mem_size,
			.align = object->align > PAGE_SIZE ? object->align : PAGE_SIZE,
			.min = LOW_MEMORY_END,
			.max = UINT32_MAX,
		},
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (!status)
		purgatory->segment = segment;
	return status;
}

enum kexec_status purgatory_load(struct kexec_image *kexec_image, const void *bytes, size_t size,
				 struct purgatory *ret_purgatory)
{
	struct elf_rel_symbol start;
	struct purgatory purgatory;
	enum kexec_status status;
	uint64_t addr;

	status = elf_rel_parse("purgatory", bytes, size, &purgatory.object);
	if (status)
		return status;
	/* e_entry cannot be used: all sections of a relocatable object begin at 0. */
	status = elf_rel_find_symbol(&purgatory.object, "purgatory_start", &start);
	if (status)
		return status;

	status = add_segment(kexec_image, &purgatory);
	if (status)
		return status;
	addr = purgatory.segment->mem;
	elf_rel_copy(&purgatory.object, phys_to_ptr(addr));
	status = elf_rel_relocate(&purgatory.object, phys_to_ptr(addr), addr);
	if (status)
		return status;
	purgatory.entry_point = addr + start.offset;
	*ret_purgatory = purgatory;
	return KEXEC_OK;
}

enum kexec_status purgatory_find_symbol(const struct purgatory *purgatory, const char *name, size_t size,
					void **ret_place)
{
	struct elf_rel_symbol symbol;
	enum kexec_status status;

	status = elf_rel_find_symbol(&purgatory->object, name, &symbol);
	if (status)
		return status;
	if (symbol.size != size)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: symbol %s: expected %zu bytes, found %lu", name, size,
				 symbol.size);
	if (symbol.in_bss)
		return log_error(KEXEC_BAD_FORMAT,
				 "purgatory: symbol %s is in a bss section, it can be neither read nor set", name);
	*ret_place = phys_to_ptr(purgatory->segment->mem + symbol.offset);
	return KEXEC_OK;
}

enum kexec_status purgatory_set_symbol(const struct purgatory *purgatory, const char *name, const void *value,
				       size_t size)
{
	enum kexec_status status;
	void *place;

	status = purgatory_find_symbol(purgatory, name, size, &place);
	if (!status)
		memcpy(place, value, size);
	return status;
}

enum kexec_status purgatory_get_symbol(const struct purgatory *purgatory, const char *name, void *ret_value,
				       size_t size)
{
	enum kexec_status status;
	void *place;

	status = purgatory_find_symbol(purgatory, name, size, &place);
	if (!status)
		memcpy(ret_value, place, size);
	return status;
}

static uint32_t at_most(uint32_t value, uint64_t limit)
{
	return value < limit ? value : (uint32_t)limit;
}

enum kexec_status purgatory_set_screen(const struct purgatory *purgatory, const struct screen_info *info,
				       const struct mapped_range *framebuffer)
{
	uint32_t pixel_size = info->lfb_depth / 8u;
	struct purgatory_screen screen = { 0 };

	if (pixel_size && info->lfb_linelength) {
		screen = (struct purgatory_screen){
			.addr = framebuffer->addr,
			.width = at_most(info->lfb_width, info->lfb_linelength / pixel_size),
			.height = at_most(info->lfb_height, framebuffer->size / info->lfb_linelength),
			.line_size = info->lfb_linelength,
			.pixel_size = pixel_size,
		};
	}
	return purgatory_set(purgatory, purgatory_screen, &screen);
}

enum kexec_status purgatory_set_tables(const struct purgatory *purgatory, const struct segments *before,
				       bool *ret_take_at_once)
{
	struct idt_gate idt[IDT_GATES];
	uint64_t gdt[GDT_ENTRIES];
	enum kexec_status status;
	void *entries;

	status = purgatory_find(purgatory, purgatory_exception_entries, &entries);
	if (status)
		return status;
	*ret_take_at_once = gdt_build(gdt, before);
	/*
	 * Use this selector, not the firmware's: kernels before 5.10 load a GDT that has it long before they load an
	 * IDT.
	 */
	idt_build(idt, SELECTOR_CODE, (uintptr_t)entries);
	status = purgatory_set(purgatory, purgatory_gdt, &gdt);
	if (status)
		return status;
	return purgatory_set(purgatory, purgatory_idt, &idt);
}

struct mapped_range purgatory_data(const struct purgatory *purgatory)
{
	uint64_t code_size = align_up(purgatory->object.code_end, PAGE_SIZE);

	if (code_size > purgatory->segment->memsz)
		code_size = purgatory->segment->memsz;
	return (struct mapped_range){
		.addr = purgatory->segment->mem + code_size,
		.size = purgatory->segment->memsz - code_size,
	};
}
