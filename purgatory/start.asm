; SPDX-License-Identifier: BSD-2-Clause
;
; The purgatory's entry, and its jump to the kernel as Documentation/arch/x86/boot.rst ("64-bit boot protocol")
; requires: __BOOT_CS 0x10 and __BOOT_DS 0x18 as flat segments, interrupts off, RSI = boot_params.

bits 64
default rel

extern purgatory			; purgatory.c: returns only if every region is as the loader left it
extern purgatory_exception		; handler.c: returns only from an NMI
extern purgatory_kernel_entry		; common/purgatory_abi.h: struct kernel_entry
extern purgatory_gdt			; common/purgatory_abi.h, made by the loader
extern purgatory_idt

KERNEL_ENTRY_RIP equ 0
KERNEL_ENTRY_RSI equ 8

; boot/descriptor_tables.h, common/purgatory_abi.h
CODE_SELECTOR equ 0x10
DATA_SELECTOR equ 0x18
GDT_ENTRIES equ 32
IDT_GATES equ 32
EXCEPTION_ENTRY_SIZE equ 16

CR0_MP equ 1 << 1
CR0_EM equ 1 << 2
CR0_TS equ 1 << 3
CR4_OSFXSR equ 1 << 9
CR4_OSXMMEXCPT equ 1 << 10

STACK_SIZE equ 16 * 1024

; Enables vector registers for the hash, and for the firmware's runtime services, which the purgatory calls after a
; mismatch. The macro below puts CR0 and CR4 back, because efi/linux/jump.asm sets their values for the kernel.
; Out:  rbx, r12  CR4 and CR0 as they were
; Clobbers rax.
%macro VECTOR_REGISTERS_ON 0
	mov	r12, cr0
	mov	rax, r12
	and	eax, ~(CR0_EM | CR0_TS)
	or	eax, CR0_MP
	mov	cr0, rax
	mov	rbx, cr4
	mov	rax, rbx
	or	eax, CR4_OSFXSR | CR4_OSXMMEXCPT
	mov	cr4, rax
%endmacro

; In: rbx and r12 as VECTOR_REGISTERS_ON left them.
%macro VECTOR_REGISTERS_AS_BEFORE 0
	mov	cr4, rbx
	mov	cr0, r12
%endmacro

section .text

; In:  long mode with an identity mapping of all segments, writable and executable. Everything else is unknown.
; Out: never returns.
global purgatory_start:function
purgatory_start:
	cli
	cld
	lea	rsp, [stack_end]

	lgdt	[purgatory_gdt_pointer]
	push	CODE_SELECTOR
	lea	rax, [.reload_cs]
	push	rax
	o64 retf
.reload_cs:
	mov	eax, DATA_SELECTOR
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax

	; The firmware's handlers are gone. If the loader could, it has already loaded these tables.
	lidt	[purgatory_idt_pointer]

	VECTOR_REGISTERS_ON
	xor	ebp, ebp		; ends a debugger's backtrace
	call	purgatory		; rsp is 16-aligned here, as the ABI requires

%assign i 0
%rep 16
	pxor	xmm %+ i, xmm %+ i
%assign i i + 1
%endrep
	VECTOR_REGISTERS_AS_BEFORE

	mov	rax, [purgatory_kernel_entry + KERNEL_ENTRY_RIP]
	mov	rsi, [purgatory_kernel_entry + KERNEL_ENTRY_RSI]
	xor	ebx, ebx
	xor	ecx, ecx
	xor	edx, edx
	xor	edi, edi
	xor	ebp, ebp
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	xor	r12d, r12d
	xor	r13d, r13d
	xor	r14d, r14d
	xor	r15d, r15d
	jmp	rax

; The code of the gates: pushes an error code if the CPU pushes none, and the vector.
align EXCEPTION_ENTRY_SIZE
global purgatory_exception_entries:function (purgatory_exception_entries.end - purgatory_exception_entries)
purgatory_exception_entries:
%assign vector 0
%rep IDT_GATES
	align	EXCEPTION_ENTRY_SIZE
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	push	0
%endif
	push	vector
	jmp	near handle_exception
%assign vector vector + 1
%endrep
	align	EXCEPTION_ENTRY_SIZE
.end:

; Calls purgatory_exception with a struct frame (handler.c) and returns to the interrupted code. The stack is 16-aligned
; at the call: the CPU aligns it and pushes five words, two more stand above, and 15 registers are saved.
handle_exception:
	push	rax
	push	rcx
	push	rdx
	push	rbx
	push	rbp
	push	rsi
	push	rdi
	push	r8
	push	r9
	push	r10
	push	r11
	push	r12
	push	r13
	push	r14
	push	r15
	VECTOR_REGISTERS_ON
	lea	rdi, [rsp + 15 * 8]
	cld
	call	purgatory_exception
	VECTOR_REGISTERS_AS_BEFORE
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rbp
	pop	rbx
	pop	rdx
	pop	rcx
	pop	rax
	add	rsp, 16
	iretq

; _Noreturn void shut_down(void)
;
; With no IDT the next exception ends in a shutdown of the CPU, which resets most machines and stops a guest.
global shut_down:function hidden
shut_down:
	lidt	[no_idt]
	ud2

section .rodata

no_idt:
	dw	0
	dq	0

; For LGDT and LIDT, here and in the loader. Relocated, so it is in a section that the loader can read.
section .kexec-purgatory progbits alloc noexec write

global purgatory_gdt_pointer:data 10
purgatory_gdt_pointer:
	dw	GDT_ENTRIES * 8 - 1
	dq	purgatory_gdt

global purgatory_idt_pointer:data 10
purgatory_idt_pointer:
	dw	IDT_GATES * 16 - 1
	dq	purgatory_idt

section .bss nobits alloc noexec write align=16
	resb	STACK_SIZE
stack_end:

section .note.GNU-stack noalloc noexec nowrite progbits
