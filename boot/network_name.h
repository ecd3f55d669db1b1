// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of files on the server that our image came from. In an entry, a path that begins with a separator starts at the
 * server's root; any other path starts beside the image. The root is the one that the server shows: of its TFTP tree,
 * or of the URL's authority.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/status.h"
#include "boot/text.h"

/* The longest name or URL of a file, in bytes with its NUL. */
#define NETWORK_NAME_SIZE 1024

/* Where our image came from. The caller owns the texts. */
struct network_base {
	bool is_url;	    /* by HTTP or HTTPS: names are percent-encoded */
	struct text origin; /* of a URL: scheme and authority, as "http://[::1]:8000"; else empty */
	struct text folder; /* up to and including the last separator */
	struct text file;   /* the rest; empty if a URL names a folder */
	char separator;	    /* between folders: "\" if the server uses only that */
};

/* Splits the name by which our image was fetched by TFTP. */
struct network_base network_base_of_file(struct text file);

/*
 * Splits the URL that our image was fetched from: http or https, with an authority (RFC 3986, 3). Drops query and
 * fragment. Logs the text if it is not such a URL.
 */
enum kexec_status network_base_of_url(struct text url, struct network_base *ret_base);

/* Writes the server's name of the file `name` of an entry. Refuses other URLs, and a name that does not fit. */
enum kexec_status network_name(const struct network_base *base, const char *name, char ret_name[NETWORK_NAME_SIZE]);

/*
 * Writes the name of the entry beside our image, as an entry would name it: the image's name with .conf in place of
 * .efi, or with .conf appended if it has no .efi.
 */
enum kexec_status network_conf(const struct network_base *base, char *ret_name, size_t capacity);
