// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words of the command line that are not for Linux: they are for the kernel's EFI stub, which does not run here, or for
 * loaders that replace words. The line is measured and passed to Linux unchanged, as with the stub.
 *
 * Ignored: initrdmem=, which Linux reads itself if it got no initrd; efi=nochunk, about how the stub reads files;
 * efi=novamap, about the stub on other machines; quiet and efi=debug, about the stub's messages; nokaslr, because no
 * address here is random. boot/stub_options.h handles efi=nosoftreserve.
 */
#pragma once

#include "boot/plan_builder.h"
#include "boot/status.h"
#include "boot/unified_image.h"

/*
 * Carries out the words of the plan's command line that are for the stub, or warns that it does not.
 *
 * initrd=PATH anywhere in the line (rEFInd and others append it) adds an initrd behind those of the entry's own lines,
 * unless one of them is that file. A sealed plan refuses it, because nobody vouches for that initrd.
 * disable_early_pci_dma means `dma off`, unless the entry has `dma` itself. It only warns of video=efifb: with a mode,
 * of noinitrd if there are initrds, and of variables ($x), which are another loader's. A command line of only variables
 * is refused.
 */
enum kexec_status command_line_carry_out(struct plan_builder *builder, bool is_sealed);

/* The part of the command line that is in the .cmdline of a unified image, if nothing replaces it. */
struct embedded_line {
	struct text text;
	struct text whole; /* the command line, with the entry's additions */
	bool is_signed;	   /* the platform vouches for the image, and for nothing outside it */
};

/*
 * Does the same for the .cmdline of the unified image that is the plan's kernel, once it has been read. The image's own
 * stub would pass it to the kernel's stub, which reads initrd=PATH from the volume unless it is given an initrd. So
 * this adds an initrd behind all others if the image has no .initrd. If it has one, it warns that initrd= has no
 * effect. It refuses initrd= if the image's signature, or its digest in our own image, vouches for the boot.
 */
enum kexec_status command_line_carry_out_embedded(struct boot_plan *plan, const struct unified_image *image,
						  const struct embedded_line *embedded);

/*
 * Does the same for what addons and the machine add to the command line of a unified image: `added`, at the end of
 * `whole`. The initrds are already loaded, so it warns that initrd=PATH has no effect.
 */
void command_line_carry_out_added(struct boot_plan *plan, struct text whole, struct text added);
