// SPDX-License-Identifier: BSD-2-Clause
/* The table of sources. */
#include "efi/source/sources.h"

#include "efi/source/self.h"

void sources_start(struct sources *sources, const EFI_LOADED_IMAGE *image)
{
	const struct pe_image sections = self_image(image);

	volume_start(&sources->volume, image->DeviceHandle);
	section_source_start(&sources->image, &sections);
}

struct source *sources_find(struct sources *sources, enum part_source kind)
{
	switch (kind) {
	case PART_IN_IMAGE:
		return &sources->image.source;
	case PART_ON_VOLUME:
		break;
	}
	return &sources->volume.source;
}

void sources_close(struct sources *sources)
{
	volume_close(&sources->volume);
}
