; SPDX-License-Identifier: BSD-2-Clause
;
; The purgatory, a relocatable object, carried along as data.

section .rodata

global purgatory_blob:data
global purgatory_blob_end:data

align 8
purgatory_blob:
	incbin	"build/purgatory/purgatory.ro"
purgatory_blob_end:

section .note.GNU-stack noalloc noexec nowrite progbits
