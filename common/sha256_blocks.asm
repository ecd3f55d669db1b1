; SPDX-License-Identifier: BSD-2-Clause
;
; SHA-256's compression of whole blocks (FIPS 180-4, 6.2.2) in vector registers: by the SHA extensions, or, for CPUs
; without them, with the message schedule in vectors and the rounds in general registers. The code uses only xmm
; registers, so it needs only CR4.OSFXSR. common/sha256_lanes.asm hashes several streams without the extensions.
;
; The routines for one stream are called as
;
;	void routine(uint32_t state[8], const void *blocks, size_t count)	System V ABI
;
; In:  rdi  the words a to h of the state; any alignment
;      rsi  `count` blocks of 64 bytes; any alignment
;      rdx  count, at least 1
; Out: the state behind these blocks.
; Clobbers what the ABI allows, all xmm registers included. In the firmware's ABI a callee keeps xmm6 to xmm15. The
; firmware calls only efi_main, which leaves by Exit(). A notification function, or a procedure on another processor,
; would have to save them before it hashes. The firmware's interrupt handlers save the registers that they use.

bits 64
default rel

BLOCK_SIZE equ 64

section .text

; --- by the SHA extensions (Intel SDM volume 2: SHA256RNDS2, SHA256MSG1, SHA256MSG2) ------------------------------

; The state in the order that the instructions want, named from the highest dword. WK is their implicit operand: two
; rounds' w + k.
%define WK	xmm0
%define W7	xmm1
%define SWAP	xmm2
%define ABEF	xmm3
%define CDGH	xmm4
%define W	xmm5, xmm6, xmm7, xmm8

; The state of a second stream.
%define ABEF_2	xmm9
%define CDGH_2	xmm10
%define W_2	xmm11, xmm12, xmm13, xmm14

; The state of one stream before a block.
%define ABEF_IN	xmm9
%define CDGH_IN	xmm10

; The address of the next rounds' k. Loops of four rounds are as fast as 64 unrolled rounds: one stream waits for
; SHA256RNDS2's latency, two streams wait for its throughput, and the loop's moves fit in between.
%define K	rcx

; Loads the block at %5 into %1 to %4.
%macro NI_LOAD 5
	movdqu	%1, [%5]
	movdqu	%2, [%5 + 16]
	movdqu	%3, [%5 + 32]
	movdqu	%4, [%5 + 48]
	pshufb	%1, SWAP
	pshufb	%2, SWAP
	pshufb	%3, SWAP
	pshufb	%4, SWAP
%endmacro

; Four rounds of the state %1 (ABEF) and %2 (CDGH). %3 to %6 are the w of these and the next 12 rounds.
%macro NI_ROUNDS 6
	movdqa	WK, [K]
	paddd	WK, %3
	sha256rnds2 %2, %1		; two rounds: CDGH becomes the new ABEF, and the old ABEF is the new CDGH
	pshufd	WK, WK, 0x0e
	sha256rnds2 %1, %2
%endmacro

; Replaces %1 to %4 by the w of four rounds later. The newest w depend on all four.
%macro NI_SCHEDULE 4
	sha256msg1 %1, %2
	movdqa	W7, %4
	palignr	W7, %3, 4		; w of 7 rounds before
	paddd	W7, %1
	sha256msg2 W7, %4
	NI_SHIFT %1, %2, %3, %4
	movdqa	%4, W7
%endmacro

%macro NI_SHIFT 4
	movdqa	%1, %2
	movdqa	%2, %3
	movdqa	%3, %4
%endmacro

global sha256_blocks_ni:function hidden
sha256_blocks_ni:
	; The order in memory is a b c d e f g h. Two shuffles convert it, and the same two convert it back.
	movdqu	ABEF_IN, [rdi]
	movdqu	CDGH, [rdi + 16]
	movdqa	ABEF, CDGH
	shufps	ABEF, ABEF_IN, 0x11
	shufps	CDGH, ABEF_IN, 0xbb
	movdqa	SWAP, [sha256_swap_bytes]
	lea	r8, [sha256_constants]
	lea	r9, [r8 + 4 * 48]
	lea	r10, [r8 + 4 * 64]
.block:
	movdqa	ABEF_IN, ABEF
	movdqa	CDGH_IN, CDGH
	NI_LOAD	W, rsi
	mov	K, r8
.rounds:
	NI_ROUNDS ABEF, CDGH, W
	NI_SCHEDULE W
	add	K, 16
	cmp	K, r9
	jne	.rounds
.last_rounds:
	NI_ROUNDS ABEF, CDGH, W
	NI_SHIFT W
	add	K, 16
	cmp	K, r10
	jne	.last_rounds
	paddd	ABEF, ABEF_IN
	paddd	CDGH, CDGH_IN
	add	rsi, BLOCK_SIZE
	dec	rdx
	jnz	.block

	movdqa	ABEF_IN, ABEF
	shufps	ABEF_IN, CDGH, 0xbb
	shufps	ABEF, CDGH, 0x11
	movdqu	[rdi], ABEF_IN
	movdqu	[rdi + 16], ABEF
	ret

; void sha256_lanes_ni(uint32_t state[8][2], const void *const blocks[2], size_t count): as in common/sha256_lanes.asm.
;
; Two streams that do not wait for each other.
global sha256_lanes_ni:function hidden
sha256_lanes_ni:
	sub	rsp, 64 + 8			; the state before a block; rsp a multiple of 16
	mov	rax, [rsi]
	mov	rsi, [rsi + 8]
	; The order in memory is a a b b c c d d and so on, one word of each stream.
	movdqu	xmm5, [rdi]
	movdqu	xmm6, [rdi + 16]
	movdqu	ABEF, [rdi + 32]
	movdqu	CDGH, [rdi + 48]
	movdqa	ABEF_2, ABEF
	movdqa	CDGH_2, CDGH
	shufps	ABEF, xmm5, 0x22
	shufps	CDGH, xmm6, 0x22
	shufps	ABEF_2, xmm5, 0x77
	shufps	CDGH_2, xmm6, 0x77
	movdqa	SWAP, [sha256_swap_bytes]
	lea	r8, [sha256_constants]
	lea	r9, [r8 + 4 * 48]
	lea	r10, [r8 + 4 * 64]
.block:
	movdqa	[rsp], ABEF
	movdqa	[rsp + 16], CDGH
	movdqa	[rsp + 32], ABEF_2
	movdqa	[rsp + 48], CDGH_2
	NI_LOAD	W, rax
	NI_LOAD	W_2, rsi
	mov	K, r8
.rounds:
	NI_ROUNDS ABEF, CDGH, W
	NI_SCHEDULE W
	NI_ROUNDS ABEF_2, CDGH_2, W_2
	NI_SCHEDULE W_2
	add	K, 16
	cmp	K, r9
	jne	.rounds
.last_rounds:
	NI_ROUNDS ABEF, CDGH, W
	NI_SHIFT W
	NI_ROUNDS ABEF_2, CDGH_2, W_2
	NI_SHIFT W_2
	add	K, 16
	cmp	K, r10
	jne	.last_rounds
	paddd	ABEF, [rsp]
	paddd	CDGH, [rsp + 16]
	paddd	ABEF_2, [rsp + 32]
	paddd	CDGH_2, [rsp + 48]
	add	rax, BLOCK_SIZE
	add	rsi, BLOCK_SIZE
	dec	rdx
	jnz	.block

	movdqa	xmm5, ABEF
	punpckldq ABEF, ABEF_2		; f f e e
	punpckhdq xmm5, ABEF_2		; b b a a
	movdqa	xmm6, CDGH
	punpckldq CDGH, CDGH_2
	punpckhdq xmm6, CDGH_2
	pshufd	xmm5, xmm5, 0x4e
	pshufd	xmm6, xmm6, 0x4e
	pshufd	ABEF, ABEF, 0x4e
	pshufd	CDGH, CDGH, 0x4e
	movdqu	[rdi], xmm5
	movdqu	[rdi + 16], xmm6
	movdqu	[rdi + 32], ABEF
	movdqu	[rdi + 48], CDGH
	add	rsp, 64 + 8
	ret

; --- by SSSE3 ------------------------------------------------------------------------------------------------------

; Names for the registers that change their role from round to round: the state, a ^ b and b ^ c.
%xdefine A	eax
%xdefine B	ebx
%xdefine C	ecx
%xdefine D	edx
%xdefine E	r8d
%xdefine F	r9d
%xdefine G	r10d
%xdefine H	r11d
%xdefine AB	r15d
%xdefine BC	ebp

; Round %1 of the next 8, whose w + k are at [rsi].
%macro ROUND 1
	mov	r12d, E
	mov	r13d, F
	ror	r12d, 14
	xor	r13d, G
	xor	r12d, E
	add	H, [rsi + 4 * (%1)]
	ror	r12d, 5
	and	r13d, E
	xor	r12d, E
	xor	r13d, G			; ch = ((f ^ g) & e) ^ g
	ror	r12d, 6			; e >>> 25 ^ e >>> 11 ^ e >>> 6, nested
	add	H, r13d
	mov	AB, A
	mov	r14d, A
	add	H, r12d
	ror	r14d, 9
	xor	AB, B
	add	D, H
	xor	r14d, A
	and	BC, AB
	ror	r14d, 11
	xor	BC, B			; maj = ((b ^ c) & (a ^ b)) ^ b
	xor	r14d, A
	add	H, BC
	ror	r14d, 2			; a >>> 22 ^ a >>> 13 ^ a >>> 2
	add	H, r14d

	%xdefine t H
	%xdefine H G
	%xdefine G F
	%xdefine F E
	%xdefine E D
	%xdefine D C
	%xdefine C B
	%xdefine B A
	%xdefine A t
	%xdefine t AB
	%xdefine AB BC
	%xdefine BC t
%endmacro

; Rounds %1 to %1 + 3 of the next 8, interleaved with computing the w of 16 rounds later, whose k are at [rdi + 4 * %1].
; %2 to %5 are the w of these rounds and of the next 12. %2 becomes the new w; w + k is stored at [rsi + 64].
%macro SCHEDULED_ROUNDS 5
	movdqa	xmm4, %3
	movdqa	xmm5, %5
	palignr	xmm4, %2, 4		; w of 15 rounds ago
	palignr	xmm5, %4, 4		; w of 7 rounds ago
	ROUND	%1
	movdqa	xmm6, xmm4
	movdqa	xmm7, xmm4
	psrld	xmm4, 3
	paddd	%2, xmm5
	psrld	xmm6, 7
	pslld	xmm7, 14
	pxor	xmm4, xmm6
	pshufd	xmm5, %5, 0xfa		; w of 2 rounds ago, twice in each half: a shift of the halves rotates
	psrld	xmm6, 11
	pxor	xmm4, xmm7
	ROUND	%1 + 1
	pslld	xmm7, 11
	pxor	xmm4, xmm6
	movdqa	xmm6, xmm5
	pxor	xmm4, xmm7		; >>> 7 ^ >>> 18 ^ >> 3
	psrlq	xmm6, 17
	psrld	xmm5, 10
	paddd	%2, xmm4
	pxor	xmm5, xmm6
	psrlq	xmm6, 2
	pxor	xmm5, xmm6		; >>> 17 ^ >>> 19 ^ >> 10 of the first two
	ROUND	%1 + 2
	pshufb	xmm5, LOW_PAIR
	paddd	%2, xmm5
	pshufd	xmm5, %2, 0x50
	movdqa	xmm6, xmm5
	psrlq	xmm6, 17
	psrld	xmm5, 10
	pxor	xmm5, xmm6
	psrlq	xmm6, 2
	pxor	xmm5, xmm6
	pshufb	xmm5, HIGH_PAIR
	ROUND	%1 + 3
	paddd	%2, xmm5
	movdqa	xmm6, [rdi + 4 * (%1)]
	paddd	xmm6, %2
	movdqa	[rsi + 64 + 4 * (%1)], xmm6
%endmacro

%macro ROUNDS 1
	ROUND	%1
	ROUND	%1 + 1
	ROUND	%1 + 2
	ROUND	%1 + 3
%endmacro

; The stack holds the w + k of all rounds, and above them the values that have no register.
%define STATE	[rsp + 256]
%define BLOCK	[rsp + 264]
%define COUNT	[rsp + 272]
FRAME_SIZE equ 256 + 24			; a multiple of 16 together with six registers and the return address

%define LOW_PAIR	xmm8
%define HIGH_PAIR	xmm9
%define SWAP_BYTES	xmm10

; Words 4 * %1 to 4 * %1 + 3 of the block into %2, and their w + k onto the stack.
%macro LOAD_WORDS 2
	movdqu	%2, [rsi + 16 * (%1)]
	pshufb	%2, SWAP_BYTES
	movdqa	xmm4, [rdi + 16 * (%1)]
	paddd	xmm4, %2
	movdqa	[rsp + 16 * (%1)], xmm4
%endmacro

%macro ADD_TO_STATE 2
	add	%2, [rdi + 4 * (%1)]
	mov	[rdi + 4 * (%1)], %2
%endmacro

global sha256_blocks_ssse3:function hidden
sha256_blocks_ssse3:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	sub	rsp, FRAME_SIZE
	mov	STATE, rdi
	mov	COUNT, rdx
	movdqa	SWAP_BYTES, [sha256_swap_bytes]
	movdqa	LOW_PAIR, [low_pair]
	movdqa	HIGH_PAIR, [high_pair]

	mov	A, [rdi]
	mov	B, [rdi + 4]
	mov	C, [rdi + 8]
	mov	D, [rdi + 12]
	mov	E, [rdi + 16]
	mov	F, [rdi + 20]
	mov	G, [rdi + 24]
	mov	H, [rdi + 28]
.block:
	lea	rdi, [sha256_constants]
	LOAD_WORDS 0, xmm0
	LOAD_WORDS 1, xmm1
	LOAD_WORDS 2, xmm2
	LOAD_WORDS 3, xmm3
	add	rsi, BLOCK_SIZE
	mov	BLOCK, rsi
	mov	rsi, rsp
	add	rdi, BLOCK_SIZE
	mov	BC, B
	xor	BC, C
.schedule:
	SCHEDULED_ROUNDS 0, xmm0, xmm1, xmm2, xmm3
	SCHEDULED_ROUNDS 4, xmm1, xmm2, xmm3, xmm0
	; After eight rounds the state is in its original registers again, but the w are not.
	movdqa	xmm4, xmm0
	movdqa	xmm5, xmm1
	movdqa	xmm0, xmm2
	movdqa	xmm1, xmm3
	movdqa	xmm2, xmm4
	movdqa	xmm3, xmm5
	add	rsi, 32
	add	rdi, 32
	lea	r12, [rsp + 4 * 48]
	cmp	rsi, r12
	jne	.schedule
.last_rounds:
	ROUNDS	0
	ROUNDS	4
	add	rsi, 32
	lea	r12, [rsp + 4 * 64]
	cmp	rsi, r12
	jne	.last_rounds

	mov	rdi, STATE
	ADD_TO_STATE 0, A
	ADD_TO_STATE 1, B
	ADD_TO_STATE 2, C
	ADD_TO_STATE 3, D
	ADD_TO_STATE 4, E
	ADD_TO_STATE 5, F
	ADD_TO_STATE 6, G
	ADD_TO_STATE 7, H
	mov	rsi, BLOCK
	dec	qword COUNT
	jnz	.block

	add	rsp, FRAME_SIZE
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

section .rodata

; FIPS 180-4, 4.2.2
align 16
global sha256_constants:data hidden
sha256_constants:
	dd	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
	dd	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
	dd	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
	dd	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
	dd	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
	dd	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
	dd	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
	dd	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2

; PSHUFB's masks: to swap the bytes of a message's big endian words; to move dwords 0 and 2 to the lower or the upper
; half.
global sha256_swap_bytes:data hidden
sha256_swap_bytes:
	dq	0x0405060700010203, 0x0c0d0e0f08090a0b
low_pair:
	dq	0x0b0a090803020100, -1
high_pair:
	dq	-1, 0x0b0a090803020100

section .note.GNU-stack noalloc noexec nowrite progbits
