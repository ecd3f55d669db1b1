// SPDX-License-Identifier: BSD-2-Clause
/* Builds identity page tables for 4- and 5-level paging. */
#include "boot/pagetable.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"

#define ENTRIES_PER_TABLE 512u
#define SIZE_2M (1ull << 21)
#define SIZE_1G (1ull << 30)
#define SIZE_4G (4 * SIZE_1G)

/* At or above these, an identity-mapped address is not canonical, or does not fit in an entry. */
#define LIMIT_4_LEVELS (1ull << 47)
#define LIMIT_5_LEVELS (1ull << 52)

/* Intel SDM volume 3, tables 5-15 to 5-20 */
enum {
	ENTRY_PRESENT = 1 << 0,
	ENTRY_WRITABLE = 1 << 1,
	ENTRY_ACCESSED = 1 << 5,
	ENTRY_DIRTY = 1 << 6,
	ENTRY_LARGE = 1 << 7, /* maps a page instead of pointing to a table; another bit in an entry for 4 KiB */
};

#define ENTRY_NO_EXECUTE (1ull << 63)

#define ENTRY_TABLE_FLAGS (ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_ACCESSED)
#define ENTRY_PAGE_FLAGS (ENTRY_TABLE_FLAGS | ENTRY_DIRTY | ENTRY_LARGE)
#define ENTRY_ADDRESS 0x000ffffffffff000ull

/* A level is the shift of the address bits that index its tables. */
enum level { LEVEL_PT = 12, LEVEL_PD = 21, LEVEL_PDPT = 30, LEVEL_PML4 = 39, LEVEL_PML5 = 48 };

/* [start, end) of whole 2 MiB pages. */
struct span {
	uint64_t start;
	uint64_t end;
};

static struct span make_span(const struct paging *paging, uint64_t start, uint64_t end)
{
	uint64_t limit = paging->five_levels ? LIMIT_5_LEVELS : LIMIT_4_LEVELS;
	struct span span = { .start = start, .end = end };

	if (span.end > limit)
		span.end = limit;
	if (span.start >= span.end)
		return (struct span){ 0 };
	span.start = align_down(span.start, SIZE_2M);
	span.end = align_up(span.end, SIZE_2M);
	return span;
}

/* Excludes memory that only other owners may touch: reserved, broken and not yet accepted memory, and devices. */
static bool is_wanted(const struct memory_range *range)
{
	switch (range->type) {
	case EFI_MEMTYPE_LOADER_CODE:
	case EFI_MEMTYPE_LOADER_DATA:
	case EFI_MEMTYPE_BOOT_SERVICES_CODE:
	case EFI_MEMTYPE_BOOT_SERVICES_DATA:
	case EFI_MEMTYPE_RUNTIME_SERVICES_CODE:
	case EFI_MEMTYPE_RUNTIME_SERVICES_DATA:
	case EFI_MEMTYPE_CONVENTIONAL:
	case EFI_MEMTYPE_ACPI_RECLAIM:
	case EFI_MEMTYPE_ACPI_NVS:
		return true;
	default:
		return (range->attribute & EFI_MEMATTR_RUNTIME) != 0;
	}
}

/* Called for the spans above 4 GiB. Below, everything is mapped anyway. */
typedef enum kexec_status visit_span(void *context, const struct span *span);

static enum kexec_status visit_high_span(const struct paging *paging, uint64_t start, uint64_t end, visit_span *visit,
					 void *context)
{
	struct span span = make_span(paging, start < SIZE_4G ? SIZE_4G : start, end);

	return span.start < span.end ? visit(context, &span) : KEXEC_OK;
}

static enum kexec_status for_each_high_span(const struct paging *paging, const struct memory_map *map,
					    const struct mapped_range *extra, visit_span *visit, void *context)
{
	uint64_t extra_size = extra->size > UINT64_MAX - extra->addr ? UINT64_MAX - extra->addr : extra->size;
	struct memory_range range;
	enum kexec_status status;
	size_t index = 0;

	while (memmap_next(map, &index, &range)) {
		if (!is_wanted(&range))
			continue;
		status = visit_high_span(paging, range.start, range.end, visit, context);
		if (status)
			return status;
	}
	return visit_high_span(paging, extra->addr, extra->addr + extra_size, visit, context);
}

static uint64_t entry_index(uint64_t addr, enum level level)
{
	return addr >> level & (ENTRIES_PER_TABLE - 1);
}

static uint64_t *new_table(struct page_tables *tables)
{
	uint8_t *table;

	if (tables->count == tables->capacity)
		return NULL;
	table = tables->pool + tables->count++ * PAGE_SIZE;
	memset(table, 0, PAGE_SIZE);
	return (uint64_t *)table;
}

/* The table that `entry` points to, or a new one. NULL when the pool is empty. */
static uint64_t *table_below(struct page_tables *tables, uint64_t *entry)
{
	uint64_t *table;

	if (*entry & ENTRY_PRESENT)
		return phys_to_ptr(*entry & ENTRY_ADDRESS);
	table = new_table(tables);
	if (table)
		*entry = (uintptr_t)table | ENTRY_TABLE_FLAGS;
	return table;
}

/* Maps one page at addr and returns its size, or 0 when the pool is empty. */
static uint64_t map_page(struct page_tables *tables, uint64_t addr, uint64_t end)
{
	uint64_t *table = (uint64_t *)tables->pool;
	uint64_t *entry;

	for (enum level level = tables->paging.five_levels ? LEVEL_PML5 : LEVEL_PML4; level > LEVEL_PDPT; level -= 9) {
		table = table_below(tables, &table[entry_index(addr, level)]);
		if (!table)
			return 0;
	}

	entry = &table[entry_index(addr, LEVEL_PDPT)];
	if (!*entry && tables->paging.one_gib_pages && addr % SIZE_1G == 0 && end - addr >= SIZE_1G)
		*entry = addr | ENTRY_PAGE_FLAGS;
	if (*entry & ENTRY_LARGE)
		return SIZE_1G - addr % SIZE_1G;

	table = table_below(tables, entry);
	if (!table)
		return 0;
	table[entry_index(addr, LEVEL_PD)] = addr | ENTRY_PAGE_FLAGS;
	return SIZE_2M;
}

static enum kexec_status map_span(void *context, const struct span *span)
{
	struct page_tables *tables = context;
	uint64_t addr = span->start;

	while (addr < span->end) {
		uint64_t size = map_page(tables, addr, span->end);

		if (size == 0)
			return log_error(KEXEC_NO_MEMORY,
					 "page tables: expected to need at most %zu, found need of more at 0x%lx",
					 tables->capacity, addr);
		addr += size;
	}
	return KEXEC_OK;
}

enum kexec_status page_tables_build(struct page_tables *tables, const struct memory_map *map,
				    const struct mapped_range *extra)
{
	struct span low = { .start = 0, .end = SIZE_4G };
	enum kexec_status status;

	tables->count = 0;
	if (!new_table(tables))
		return log_error(KEXEC_NO_MEMORY, "page tables: expected room for 1 at least, found 0");
	status = map_span(tables, &low);
	if (status)
		return status;
	return for_each_high_span(&tables->paging, map, extra, map_span, tables);
}

/* Splits a page into 512 of the next smaller size. Returns false when the pool is empty. */
static bool split(struct page_tables *tables, uint64_t *entry, enum level level)
{
	enum level below = level == LEVEL_PDPT ? LEVEL_PD : LEVEL_PT;
	uint64_t flags = below == LEVEL_PT ? ENTRY_PAGE_FLAGS & ~(uint64_t)ENTRY_LARGE : ENTRY_PAGE_FLAGS;
	uint64_t first = *entry & ENTRY_ADDRESS;
	uint64_t *table = new_table(tables);

	if (!table)
		return false;
	flags |= *entry & ENTRY_NO_EXECUTE;
	for (uint64_t i = 0; i < ENTRIES_PER_TABLE; i++)
		table[i] = (first + (i << below)) | flags;
	*entry = (uintptr_t)table | ENTRY_TABLE_FLAGS;
	return true;
}

/*
 * Marks the page at `addr`, or its part up to `end`, and returns the end of the marked part. Skips an unmapped page.
 * Returns 0 when the pool is empty.
 */
static uint64_t forbid_page(struct page_tables *tables, uint64_t addr, uint64_t end)
{
	uint64_t *table = (uint64_t *)tables->pool;
	enum level level = tables->paging.five_levels ? LEVEL_PML5 : LEVEL_PML4;

	for (;; level -= 9) {
		uint64_t *entry = &table[entry_index(addr, level)];
		uint64_t size = 1ull << level;
		uint64_t start = align_down(addr, size);
		bool is_page = level == LEVEL_PT || (*entry & ENTRY_LARGE);

		if (!(*entry & ENTRY_PRESENT))
			return start + size;
		if (is_page && start == addr && size <= end - addr) {
			*entry |= ENTRY_NO_EXECUTE;
			return start + size;
		}
		if (is_page && !split(tables, entry, level))
			return 0;
		table = phys_to_ptr(*entry & ENTRY_ADDRESS);
	}
}

/* The pages of a range. Empty if the range wraps, or lies beyond the reach of the tables. */
static struct span pages_of(const struct paging *paging, const struct mapped_range *range)
{
	uint64_t limit = paging->five_levels ? LIMIT_5_LEVELS : LIMIT_4_LEVELS;

	if (!paging->no_execute || range->size == 0 || range->addr >= limit || range->size > limit - range->addr)
		return (struct span){ 0 };
	return (struct span){
		.start = align_down(range->addr, PAGE_SIZE),
		.end = align_up(range->addr + range->size, PAGE_SIZE),
	};
}

enum kexec_status page_tables_forbid_execution(struct page_tables *tables, const struct mapped_range *data)
{
	struct span span = pages_of(&tables->paging, data);

	while (span.start < span.end) {
		uint64_t next = forbid_page(tables, span.start, span.end);

		if (next == 0)
			return log_error(KEXEC_NO_MEMORY,
					 "page tables: expected to need at most %zu, found need of more at 0x%lx",
					 tables->capacity, span.start);
		span.start = next;
	}
	return KEXEC_OK;
}

struct bound {
	const struct paging *paging;
	uint64_t tables;
};

static uint64_t units_touched(const struct span *span, enum level level)
{
	return ((span->end - 1) >> level) - (span->start >> level) + 1;
}

/* Counts as if no two spans shared a table. */
static enum kexec_status count_span(void *context, const struct span *span)
{
	struct bound *bound = context;
	uint64_t directories = units_touched(span, LEVEL_PDPT);

	/* With 1 GiB pages only the incomplete GiB at both ends need page directories. */
	if (bound->paging->one_gib_pages && directories > 2)
		directories = 2;
	bound->tables += directories + units_touched(span, LEVEL_PML4);
	if (bound->paging->five_levels)
		bound->tables += units_touched(span, LEVEL_PML5);
	return KEXEC_OK;
}

size_t page_tables_bound(const struct paging *paging, const struct memory_map *map, const struct mapped_range *extra)
{
	struct bound bound = { .paging = paging, .tables = 1 };
	struct span low = { .start = 0, .end = SIZE_4G };

	count_span(&bound, &low);
	for_each_high_span(paging, map, extra, count_span, &bound);
	return bound.tables;
}

/* The number of the larger page that one end (0 or 1) of a range cuts in two, or UINT64_MAX. */
static uint64_t cut_page(const struct paging *paging, const struct mapped_range *range, unsigned end, enum level level)
{
	struct span span = pages_of(paging, range);
	uint64_t border = end ? span.end : span.start;

	return border == align_down(border, 1ull << level) ? UINT64_MAX : border >> level;
}

/* Counts the pages of a level that are cut, each once. */
static size_t count_cut(const struct paging *paging, const struct mapped_range *data, size_t count, enum level level)
{
	size_t cuts = 0;

	for (size_t i = 0; i < 2 * count; i++) {
		uint64_t page = cut_page(paging, &data[i / 2], i % 2, level);
		size_t before = 0;

		while (before < i && cut_page(paging, &data[before / 2], before % 2, level) != page)
			before++;
		if (page != UINT64_MAX && before == i)
			cuts++;
	}
	return cuts;
}

size_t page_tables_split_bound(const struct paging *paging, const struct mapped_range *data, size_t count)
{
	return count_cut(paging, data, count, LEVEL_PD) +
	       (paging->one_gib_pages ? count_cut(paging, data, count, LEVEL_PDPT) : 0);
}
