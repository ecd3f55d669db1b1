; SPDX-License-Identifier: BSD-2-Clause
;
; The protected-mode part of a payload with a fixed address (test_fixed_place.py), by the 64-bit boot protocol. It
; reports on the serial port whether all of it arrived, and whether the e820 table lists its place as memory. The caller
; of nasm defines ADDRESS and INIT_SIZE. Behind this code come the sum of the words of the body, their number, and the
; body.

bits 64
default rel
org ADDRESS

; arch/x86/include/uapi/asm/bootparam.h
E820_ENTRIES equ 0x1e8
E820_TABLE equ 0x2d0
E820_ENTRY_SIZE equ 20
E820_RAM equ 1

COM1 equ 0x3f8

	times	0x200 hlt

	cli
	mov	esp, ADDRESS + INIT_SIZE - 16
	mov	rbp, rsi

	; The sum of the words, rotated after each.
	mov	rcx, [words]
	lea	rsi, [body]
	xor	eax, eax
.add:
	rol	rax, 1
	add	rax, [rsi]
	add	rsi, 8
	dec	rcx
	jnz	.add
	lea	rsi, [intact]
	lea	rdx, [damaged]
	cmp	rax, [sum]
	cmovne	rsi, rdx
	call	say

	movzx	ecx, byte [rbp + E820_ENTRIES]
	lea	rbx, [rbp + E820_TABLE]
.entry:
	mov	rax, ADDRESS
	mov	rdx, [rbx]
	cmp	rdx, rax
	ja	.next
	add	rdx, [rbx + 8]
	add	rax, INIT_SIZE
	cmp	rdx, rax
	jb	.next
	lea	rsi, [memory]
	cmp	dword [rbx + 16], E820_RAM
	je	.found
.next:
	add	rbx, E820_ENTRY_SIZE
	dec	ecx
	jnz	.entry
	lea	rsi, [no_memory]
.found:
	call	say
.stop:
	hlt
	jmp	.stop

; In:  rsi  text, terminated by a NUL
say:
	mov	edx, COM1 + 5
.wait:
	in	al, dx
	test	al, 0x20
	jz	.wait
	lodsb
	test	al, al
	jz	.end
	mov	edx, COM1
	out	dx, al
	jmp	say
.end:
	ret

intact:
	db	"payload: intact", 10, 0
damaged:
	db	"payload: damaged", 10, 0
memory:
	db	"payload: its place is memory", 10, 0
no_memory:
	db	"payload: its place is no memory", 10, 0

align 8
sum:	equ $
words:	equ $ + 8
body:	equ $ + 16
