// SPDX-License-Identifier: BSD-2-Clause
/* Paths on a volume, as an entry writes them and as firmware wants them. */
#pragma once

#include <stdint.h>

#include "boot/status.h"

/* The longest path, in bytes of UTF-8 with its NUL. */
#define VOLUME_PATH_SIZE 512

/*
 * Converts the path `name`, in UTF-8 with / or \ between its parts, to UTF-16 with \ between them and a NUL at the end.
 * Logs and refuses a path that is too long, or not UTF-8.
 */
enum kexec_status volume_path(const char *name, uint16_t ret_path[VOLUME_PATH_SIZE]);
