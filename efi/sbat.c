// SPDX-License-Identifier: BSD-2-Clause
/*
 * What shim compares with the generations that have been revoked (github.com/rhboot/shim: SBAT.md); it starts nothing
 * without it. Our generation goes up with each fix of a hole that would let something run that is not trusted. A
 * distribution has a line of its own, `make SBAT_DISTRO=`, for the holes that are only its own.
 */
#ifndef SBAT_DISTRO
#define SBAT_DISTRO_LINE ""
#else
#define SBAT_DISTRO_LINE SBAT_DISTRO "\n"
#endif

#define SBAT                                                                                                           \
	"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"                                \
	"kexec-efi,1,kexec-efi,kexec-efi," KEXEC_EFI_VERSION ",none\n" SBAT_DISTRO_LINE

/* Text to its last byte: no NUL. */
static const char sbat[sizeof(SBAT) - 1] __attribute__((section(".sbat"), used)) = SBAT;
