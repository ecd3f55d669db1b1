// SPDX-License-Identifier: BSD-2-Clause
/* The table of sources. */
#include "efi/source/sources.h"

#include "efi/source/self.h"
#include "efi/volumes/find_volume.h"

void sources_start(struct sources *sources, const EFI_LOADED_IMAGE *image)
{
	const struct pe_image sections = self_image(image);

	sources->own_device = image->DeviceHandle;
	volume_start(&sources->volume, image->DeviceHandle, VOLUME_OWN);
	section_source_start(&sources->image, &sections);
	registered_initrd_start(&sources->registered);
	network_start(&sources->network, image->DeviceHandle);
}

enum part_source sources_origin(const struct sources *sources)
{
	return network_is_origin(&sources->network) ? PART_ON_NETWORK : PART_ON_VOLUME;
}

enum kexec_status sources_use_volume(struct sources *sources, const char *wanted)
{
	enum kexec_status status;
	EFI_HANDLE device;

	if (!wanted[0])
		return KEXEC_OK;
	status = find_volume(wanted, sources->own_device, &device);
	if (status)
		return status;
	volume_close(&sources->volume);
	volume_start(&sources->volume, device, VOLUME_OTHER);
	return KEXEC_OK;
}

struct source *sources_find(struct sources *sources, enum part_source kind)
{
	switch (kind) {
	case PART_IN_IMAGE:
		return &sources->image.source;
	case PART_ON_NETWORK:
		return &sources->network.source;
	case PART_FROM_LOADER:
		return &sources->registered.source;
	case PART_ON_VOLUME:
		break;
	}
	return &sources->volume.source;
}

void sources_close(struct sources *sources)
{
	volume_close(&sources->volume);
}
