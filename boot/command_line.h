// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a command line asks of others than Linux: of the kernel's EFI stub, which does not run here, and of loaders that
 * put something in the place of a word. The command line itself stays as it was written, in what Linux gets and in what
 * is measured, as behind the stub.
 *
 * Not looked at: initrdmem=, which Linux reads itself where it got no initrd; efi=nochunk, about how the stub reads
 * files; efi=novamap, about what the stub does on other machines; quiet and efi=debug, about what it says; nokaslr, as
 * nothing is placed by chance here. efi=nosoftreserve is boot/stub_options.h.
 */
#pragma once

#include "boot/plan_builder.h"
#include "boot/status.h"
#include "boot/unified_image.h"

/*
 * Does what the plan's command line asks of the stub, or says that it is not done.
 *
 * initrd=PATH, wherever it stands (rEFInd and others append it), adds an initrd behind those of the entry's own lines,
 * unless one of them is that file. In a sealed plan, in which nobody vouches for it, it is refused.
 * disable_early_pci_dma is `dma off`, unless the entry says `dma` itself. What is only said: video=efifb: with a mode,
 * noinitrd where there are initrds, and variables ($x), which are another loader's; a command line of nothing else is
 * refused.
 */
enum kexec_status command_line_carry_out(struct plan_builder *builder, bool is_sealed);

/* What of the command line stands in the .cmdline of a unified image, where nothing has replaced it. */
struct embedded_line {
	struct text text;
	struct text whole; /* the command line, with what the entry adds */
	bool is_signed;	   /* the platform vouches for the image, and so for nothing outside it */
};

/*
 * The same for the .cmdline of the unified image that is the plan's kernel, once it is there. The image's own stub
 * would hand it to the kernel's, which reads initrd=PATH from the volume unless it is handed an initrd. So an initrd is
 * added behind all others where the image has no .initrd; where it has one, a line says that initrd= does nothing. It
 * is refused where the image's signature, or its digest in our own image, vouches for what is booted.
 */
enum kexec_status command_line_carry_out_embedded(struct boot_plan *plan, const struct unified_image *image,
						  const struct embedded_line *embedded);

/*
 * The same for what addons and the machine add to the command line of a unified image, `added` at the end of `whole`.
 * The initrds are loaded by then, so a line says of initrd=PATH that it does nothing.
 */
void command_line_carry_out_added(struct boot_plan *plan, struct text whole, struct text added);
