; SPDX-License-Identifier: BSD-2-Clause
;
; The last call of the firmware, and the first instructions without it.

bits 64
default rel

; efi/services/exit.h: struct takeover
TAKEOVER_IDT equ 0
TAKEOVER_GDT equ 10
TAKEOVER_CR4 equ 24

section .text

; EFI_STATUS exit_and_take_over(EFI_EXIT_BOOT_SERVICES exit, EFI_HANDLE image, UINTN key, const struct takeover *takeover)
; System V ABI
;
; Calls exit(image, key), in the firmware's ABI. Where it succeeds the interrupts are off and the exceptions are ours when
; it returns. The segment registers stay what they are: no far return, which CET might be watching, is needed.
global exit_and_take_over:function
exit_and_take_over:
	push	rbx
	sub	rsp, 32			; what a callee of the firmware's ABI may write to; rsp is 16-aligned
	mov	rbx, rcx		; which it preserves
	mov	rax, rdi
	mov	rcx, rsi
	call	rax
	test	rax, rax
	js	.refused		; an error has the highest bit set (UEFI specification, appendix D)
	cli				; first: the table has no gates for interrupts
	lgdt	[rbx + TAKEOVER_GDT]	; the firmware's gates lead to its code segment, which this has as well
	lidt	[rbx + TAKEOVER_IDT]
	mov	rcx, cr4
	or	rcx, [rbx + TAKEOVER_CR4]
	mov	cr4, rcx
.refused:
	add	rsp, 32
	pop	rbx
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
