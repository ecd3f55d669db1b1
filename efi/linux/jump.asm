; SPDX-License-Identifier: BSD-2-Clause
;
; The last instructions of the loader. The firmware is gone. Its page tables, descriptor tables and handlers are still
; there, but nothing reserves their memory any more.
;
; The purgatory already handles exceptions (efi/services/take_over.asm). Before `mov cr3` its handlers run under the
; firmware's page tables, in memory that was allocated as code.
;
; Nothing here needs EFI_MEMORY_ATTRIBUTE_PROTOCOL. Up to `mov cr3` the CPU runs our own .text under the firmware's page
; tables, and the firmware made .text executable when it loaded the image. Purgatory, kernel and the kernel's trampoline
; in low memory run under our page tables. Those make everything writable, and everything executable except our own
; data, whatever the firmware's attributes of these pages are. No page becomes read-only, so FreePages needs no change.

bits 64
default rel

CR0_PE equ 1 << 0
CR0_MP equ 1 << 1
CR0_EM equ 1 << 2
CR0_TS equ 1 << 3
CR0_WP equ 1 << 16
CR0_AM equ 1 << 18

EFER equ 0xc0000080
EFER_NXE equ 1 << 11

CR4_PAE equ 1 << 5
CR4_MCE equ 1 << 6
CR4_LA57 equ 1 << 12

section .text

; _Noreturn void handover_jump(uint64_t entry, uint64_t page_table_root, bool no_execute)	System V ABI
;
; In:  rdi  physical address to jump to
;      rsi  physical address of the top page table, with the number of levels that CR4.LA57 says
;      dl   whether the tables mark pages as not executable, which needs EFER.NXE
; Out: CR0 and CR4 as the kernel's relocate_kernel leaves them (arch/x86/kernel/relocate_kernel_64.S): no write
;      protection, no alignment checks, no task switched, and in CR4 only the bits that long mode needs, and MCE: a TDX
;      guest faults when it is cleared. The kernel finds these values: the purgatory changes them for its hash and puts
;      them back.
global handover_jump:function
handover_jump:
	cli
	cld

	mov	rax, cr4
	and	eax, CR4_PAE | CR4_LA57 | CR4_MCE	; CET before WP, which CET needs; PCIDE before CR3
	mov	cr4, rax

	mov	rax, cr0
	and	eax, ~(CR0_EM | CR0_TS | CR0_WP | CR0_AM)
	or	eax, CR0_PE | CR0_MP
	mov	cr0, rax

	test	dl, dl
	jz	.enter
	mov	ecx, EFER
	rdmsr
	test	eax, EFER_NXE
	jnz	.enter
	or	eax, EFER_NXE
	wrmsr
.enter:
	mov	cr3, rsi
	jmp	rdi

section .note.GNU-stack noalloc noexec nowrite progbits
