; SPDX-License-Identifier: BSD-2-Clause
;
; The purgatory's way in and its way out into the kernel, as Documentation/arch/x86/boot.rst ("64-bit boot protocol")
; asks for it: __BOOT_CS 0x10 and __BOOT_DS 0x18 as flat segments, interrupts off, RSI = boot_params.

bits 64
default rel

extern purgatory			; purgatory.c: returns only if every region is as the loader left it
extern purgatory_kernel_entry		; common/purgatory_abi.h: struct kernel_entry

KERNEL_ENTRY_RIP equ 0
KERNEL_ENTRY_RSI equ 8

CR4_OSFXSR equ 1 << 9
CR4_OSXMMEXCPT equ 1 << 10

STACK_SIZE equ 16 * 1024

section .text

; In:  long mode with an identity mapping of all segments, writable and executable; CR0.EM and CR0.TS clear. Everything
;      else is unknown.
; Out: never returns.
global purgatory_start:function
purgatory_start:
	cli
	cld
	lea	rsp, [stack_end]

	lgdt	[gdt_pointer]
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

	; The firmware's handlers are gone: with no IDT an exception resets the machine instead of running what is
	; left of them.
	lidt	[no_idt]

	; The hash uses xmm registers, which CR4 as the kernel gets it forbids; so may the firmware's runtime services,
	; which are called after a mismatch.
	mov	rbx, cr4
	mov	rax, rbx
	or	eax, CR4_OSFXSR | CR4_OSXMMEXCPT
	mov	cr4, rax

	xor	ebp, ebp		; ends a debugger's backtrace
	call	purgatory		; rsp is 16-aligned here, as the ABI wants it

%assign i 0
%rep 16
	pxor	xmm %+ i, xmm %+ i
%assign i i + 1
%endrep
	mov	cr4, rbx

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

section .rodata

align 8
gdt:
	dq	0
	dq	0
.code:	dq	0x00af9b000000ffff	; base 0, limit 4 GiB; G=1 L=1; present, DPL 0, code, readable, accessed
.data:	dq	0x00cf93000000ffff	; base 0, limit 4 GiB; G=1 B=1; present, DPL 0, data, writable, accessed
	; At 0x20: Linux 3.8, the first that says it has a 64-bit entry, loads the task register from there before it
	; has a GDT of its own (arch/x86/boot/compressed/head_64.S, startup_64). Later ones do not. It is never used.
.task:	dq	0x0080890000000000	; base 0, limit 4 KiB - 1; G=1; present, DPL 0, 64-bit TSS, available
	dq	0			; base, high half
.end:

CODE_SELECTOR equ gdt.code - gdt	; 0x10, __BOOT_CS
DATA_SELECTOR equ gdt.data - gdt	; 0x18, __BOOT_DS

gdt_pointer:
	dw	gdt.end - gdt - 1
	dq	gdt

no_idt:
	dw	0
	dq	0

section .bss nobits alloc noexec write align=16
	resb	STACK_SIZE
stack_end:

section .note.GNU-stack noalloc noexec nowrite progbits
