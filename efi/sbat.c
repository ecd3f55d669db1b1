// SPDX-License-Identifier: BSD-2-Clause
/*
 * The generations that shim compares with the revoked ones (github.com/rhboot/shim: SBAT.md). Shim starts no image
 * without them. Our generation increases with each fix of a bug that would have let untrusted code run. A distribution
 * adds a line of its own, `make SBAT_DISTRO=`, for bugs that are only its own.
 */
#ifndef SBAT_DISTRO
#define SBAT_DISTRO_LINE ""
#else
#define SBAT_DISTRO_LINE SBAT_DISTRO "\n"
#endif

#define SBAT                                                                                                           \
	"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"                                \
	"kexec-efi,1,kexec-efi,kexec-efi," KEXEC_EFI_VERSION ",none\n" SBAT_DISTRO_LINE

/* Without a NUL at the end. */
static const char sbat[sizeof(SBAT) - 1] __attribute__((section(".sbat"), used)) = SBAT;
