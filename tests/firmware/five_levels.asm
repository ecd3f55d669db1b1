; SPDX-License-Identifier: BSD-2-Clause
;
; Turns 5-level paging on, because no firmware at hand does. CR4.LA57 can only be changed with paging off, and paging
; cannot be turned off in 64-bit mode (Intel SDM 3A, 4.1.2). So this goes through 32-bit code.

bits 64
default rel

CR0_PG_BIT equ 31
CR4_LA57_BIT equ 12

CODE32 equ 0x08
DATA32 equ 0x10
CODE64 equ 0x18

section .text

; void five_levels_enter(uint64_t top_table)	System V ABI
;
; In:  rdi  a table whose first entry is the present top table. The table, this code and the stack must lie below 4 GiB.
global five_levels_enter:function
five_levels_enter:
	pushfq
	cli
	push	rbx		; switching modes may lose the upper halves
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	eax, cs
	push	rax		; for the way back, by retfq
	mov	eax, ss
	push	rax
	sub	rsp, 16
	sgdt	[rsp]

	lea	rax, [gdt]
	mov	[gdt_pointer + 2], rax
	lgdt	[gdt_pointer]
	mov	eax, DATA32
	mov	ss, eax
	lea	rbx, [in_64_bits]
	push	CODE32
	lea	rax, [in_32_bits]
	push	rax
	retfq

bits 32
in_32_bits:
	mov	eax, cr0
	btr	eax, CR0_PG_BIT
	mov	cr0, eax
	mov	eax, cr4
	bts	eax, CR4_LA57_BIT
	mov	cr4, eax
	mov	cr3, edi
	mov	eax, cr0
	bts	eax, CR0_PG_BIT
	mov	cr0, eax
	push	CODE64
	push	ebx
	retf

bits 64
in_64_bits:
	mov	esp, esp	; zeroes the upper half
	lgdt	[rsp]
	add	rsp, 16
	pop	rax
	mov	ss, eax
	lea	rax, [back]
	push	rax
	retfq
back:
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	popfq
	ret

section .data align=8
gdt:
	dq 0
	dq 0x00cf9b000000ffff	; CODE32
	dq 0x00cf93000000ffff	; DATA32
	dq 0x00af9b000000ffff	; CODE64
gdt_pointer:
	dw gdt_pointer - gdt - 1
	dq 0

section .note.GNU-stack noalloc noexec nowrite progbits
