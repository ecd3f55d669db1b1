; SPDX-License-Identifier: BSD-2-Clause
;
; SHA-256's compression of several streams at once (FIPS 180-4, 6.2.2), each in a lane of the vector registers: eight
; with AVX2, four with SSSE3, from one source. Both have all the instructions needed on vectors of 32-bit words, except
; rotation, which takes two shifts and an exclusive or.
;
; The routines are called as
;
;	void routine(uint32_t state[8][LANES], const void *const blocks[LANES], size_t count)	System V ABI
;
; In:  rdi  the words a to h of the states, each word of all lanes together; any alignment
;      rsi  for each lane the address of its `count` blocks of 64 bytes; any alignment; lanes may share blocks
;      rdx  count, at least 1
; Out: the states behind these blocks.
; Clobbers what the ABI allows, all vector registers included; afterwards the upper halves of ymm registers are zero.
; common/sha256_blocks.asm describes the firmware's ABI, common/vector_unit.h how AVX is turned on.

bits 64
default rel

extern sha256_constants
extern sha256_swap_bytes

; The addresses of the next rounds' w, of all lanes together, and k. The w of all 64 rounds are on the stack.
%define W	rax
%define K	rdx

; An instruction of AVX or SSE, by its SSE name. In SSE the destination is also the first source. If the two differ, V
; first moves the source to the destination, so the destination must not be the second source.
;
;	V operation, destination and first source, second source
;	V operation, destination, first source, second source
;	VMOV operation, destination, source
%macro V 3-4
%if AVX && %0 == 3
	v%1	%2, %2, %3
%elif AVX
	v%1	%2, %3, %4
%elif %0 == 3
	%1	%2, %3
%else
	movdqa	%2, %3
	%1	%2, %4
%endif
%endmacro

%macro VMOV 3
%if AVX
	v%1	%2, %3
%else
	%1	%2, %3
%endif
%endmacro

; Names of the registers by use; %1 is xmm or ymm. The state, a ^ b and b ^ c change registers from round to round.
%macro NAME_REGISTERS 1
%xdefine A	%1 %+ 0
%xdefine B	%1 %+ 1
%xdefine C	%1 %+ 2
%xdefine D	%1 %+ 3
%xdefine E	%1 %+ 4
%xdefine F	%1 %+ 5
%xdefine G	%1 %+ 6
%xdefine H	%1 %+ 7
%xdefine SUM	%1 %+ 8
%xdefine SIGMA	%1 %+ 9
%xdefine T1	%1 %+ 10
%xdefine T2	%1 %+ 11
%xdefine AB	%1 %+ 12
%xdefine BC	%1 %+ 13
%xdefine SWAP	%1 %+ 14
%endmacro

; %1 = %2 >>> %3
%macro ROTATE 3
	V	psrld, %1, %2, %3
	V	pslld, T2, %2, 32 - (%3)
	V	pxor, %1, T2
%endmacro

; SIGMA = %1 >>> %2 ^ %1 >>> %3 ^ %1 >>> %4
%macro BIG_SIGMA 4
	ROTATE	SIGMA, %1, %2
	ROTATE	T1, %1, %3
	V	pxor, SIGMA, T1
	ROTATE	T1, %1, %4
	V	pxor, SIGMA, T1
%endmacro

; SIGMA = %1 >>> %2 ^ %1 >>> %3 ^ %1 >> %4
%macro SMALL_SIGMA 4
	ROTATE	SIGMA, %1, %2
	ROTATE	T1, %1, %3
	V	pxor, SIGMA, T1
	V	psrld, T1, %1, %4
	V	pxor, SIGMA, T1
%endmacro

; Round %1 of the next four. The new a replaces d, and the new e replaces h, so after four rounds each word is in its
; original register again.
%macro ROUND 1
%if AVX
	vpbroadcastd SUM, [K + 4 * (%1)]
%else
	movd	SUM, [K + 4 * (%1)]
	pshufd	SUM, SUM, 0
%endif
	V	paddd, SUM, H
	V	paddd, SUM, [W + LANES * 4 * (%1)]
	BIG_SIGMA E, 6, 11, 25
	V	pxor, T1, F, G
	V	pand, T1, E
	V	pxor, T1, G		; ch = ((f ^ g) & e) ^ g
	V	paddd, SUM, T1
	V	paddd, SUM, SIGMA
	V	paddd, H, D, SUM
	V	pxor, AB, A, B
	V	pand, BC, AB
	V	pxor, BC, B		; maj = ((b ^ c) & (a ^ b)) ^ b
	V	paddd, SUM, BC
	BIG_SIGMA A, 2, 13, 22
	V	paddd, D, SUM, SIGMA

	%xdefine t D
	%xdefine D C
	%xdefine C B
	%xdefine B A
	%xdefine A t
	%xdefine t H
	%xdefine H G
	%xdefine G F
	%xdefine F E
	%xdefine E t
	%xdefine t AB
	%xdefine AB BC
	%xdefine BC t
%endmacro

; Computes the w of round %1 of the next four. %2 is the w of two rounds before, and becomes the new one.
%macro SCHEDULE 2
	VMOV	movdqa, SUM, [W + LANES * 4 * (%1 - 15)]
	SMALL_SIGMA SUM, 7, 18, 3
	V	paddd, SUM, SIGMA, [W + LANES * 4 * (%1 - 16)]
	V	paddd, SUM, [W + LANES * 4 * (%1 - 7)]
	SMALL_SIGMA %2, 17, 19, 10
	V	paddd, %2, SUM, SIGMA
	VMOV	movdqa, [W + LANES * 4 * (%1)], %2
%endmacro

; Loads four words of lane %2 into register %1, and into its upper half those of the lane four behind.
%macro LOAD_LANE 2
	mov	r11, [rsi + 8 * (%2)]
	VMOV	movdqu, xmm %+ %1, [r11 + rcx]
%if AVX
	mov	r11, [rsi + 8 * (%2 + 4)]
	vinserti128 ymm %+ %1, ymm %+ %1, [r11 + rcx], 1
%endif
%endmacro

; The routine, for LANES lanes.
%macro HASH_BLOCKS 0
	push	rbp
	mov	rbp, rsp
	sub	rsp, 64 * LANES * 4
	and	rsp, -LANES * 4
%if AVX
	vbroadcasti128 SWAP, [sha256_swap_bytes]
%else
	movdqa	SWAP, [sha256_swap_bytes]
%endif
	xor	ecx, ecx		; offset in the lanes' blocks
	shl	rdx, 6
	mov	r8, rdx			; end offset
	lea	r9, [rsp + 16 * LANES * 4]
	lea	r10, [rsp + 64 * LANES * 4]
.block:
	mov	W, rsp
	; Transposes each half of the registers: from four words of each lane to all lanes of four words.
.words:
	LOAD_LANE 0, 0
	LOAD_LANE 1, 1
	LOAD_LANE 2, 2
	LOAD_LANE 3, 3
	V	punpckldq, E, A, B
	V	punpckhdq, F, A, B
	V	punpckldq, G, C, D
	V	punpckhdq, H, C, D
	V	punpcklqdq, A, E, G
	V	punpckhqdq, B, E, G
	V	punpcklqdq, C, F, H
	V	punpckhqdq, D, F, H
%assign i 0
%rep 4
	%xdefine word %[VECTOR] %+ i
	V	pshufb, word, SWAP
	VMOV	movdqa, [W + LANES * 4 * i], word
%assign i i + 1
%endrep
	add	rcx, 16
	add	W, 4 * LANES * 4
	cmp	W, r9
	jne	.words
.schedule:
	SCHEDULE 0, C
	SCHEDULE 1, D
	add	W, 2 * LANES * 4
	cmp	W, r10
	jne	.schedule

%assign i 0
%rep 8
	VMOV	movdqu, %[VECTOR] %+ i, [rdi + LANES * 4 * i]
%assign i i + 1
%endrep
	V	pxor, BC, B, C
	mov	W, rsp
	lea	K, [sha256_constants]
.rounds:
	ROUND	0
	ROUND	1
	ROUND	2
	ROUND	3
	add	W, 4 * LANES * 4
	add	K, 4 * 4
	cmp	W, r10
	jne	.rounds
%assign i 0
%rep 8
	VMOV	movdqu, SUM, [rdi + LANES * 4 * i]
	V	paddd, SUM, %[VECTOR] %+ i
	VMOV	movdqu, [rdi + LANES * 4 * i], SUM
%assign i i + 1
%endrep
	cmp	rcx, r8
	jne	.block
%if AVX
	vzeroupper			; for code that uses only xmm, and to leave nothing there
%endif
	leave
	ret
%endmacro

section .text

%define AVX	1
%define LANES	8
%define VECTOR	ymm
NAME_REGISTERS ymm
global sha256_lanes_avx2:function hidden
sha256_lanes_avx2:
	HASH_BLOCKS

%define AVX	0
%define LANES	4
%define VECTOR	xmm
NAME_REGISTERS xmm
global sha256_lanes_ssse3:function hidden
sha256_lanes_ssse3:
	HASH_BLOCKS

section .note.GNU-stack noalloc noexec nowrite progbits
