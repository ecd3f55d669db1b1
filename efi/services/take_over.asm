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
; Calls exit(image, key), in the firmware's ABI. If that succeeds, interrupts are off and exceptions are ours on return.
; The segment registers do not change, so there is no far return, which CET might check.
global exit_and_take_over:function
exit_and_take_over:
	push	rbx
	sub	rsp, 32			; shadow space of the firmware's ABI; rsp is 16-aligned
	mov	rbx, rcx		; the callee preserves rbx
	mov	rax, rdi
	mov	rcx, rsi
	call	rax
	test	rax, rax
	js	.refused		; an error has the highest bit set (UEFI specification, appendix D)
	cli				; first: the table has no gates for interrupts
	lgdt	[rbx + TAKEOVER_GDT]	; keeps the firmware's code segment, to which its gates lead
	lidt	[rbx + TAKEOVER_IDT]
	mov	rcx, cr4
	or	rcx, [rbx + TAKEOVER_CR4]
	mov	cr4, rcx
.refused:
	add	rsp, 32
	pop	rbx
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
