// SPDX-License-Identifier: BSD-2-Clause
/*
 * What files are called on the server that our image came from. In an entry a path that begins with a separator is
 * looked for from the server's root on, any other beside the image. The root is what the server shows: the root of its
 * TFTP tree, or of the URL's authority.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/status.h"
#include "boot/text.h"

/* The longest name or URL of a file, in bytes with its NUL. */
#define NETWORK_NAME_SIZE 1024

/* Where our image came from. The texts are the caller's. */
struct network_base {
	bool is_url;	    /* by HTTP or HTTPS: names are percent-encoded */
	struct text origin; /* of a URL: scheme and authority, as "http://[::1]:8000"; else empty */
	struct text folder; /* up to the last separator, that included */
	struct text file;   /* what follows; empty where a URL names a folder */
	char separator;	    /* between folders: "\" where the server uses that alone */
};

/* Takes the name apart by which our image was fetched by TFTP. */
struct network_base network_base_of_file(struct text file);

/*
 * Takes the URL apart that our image was fetched from: http or https, with an authority (RFC 3986, 3). Query and
 * fragment are left out. Says what it is if it is none.
 */
enum kexec_status network_base_of_url(struct text url, struct network_base *ret_base);

/*
 * Writes what the server calls the file that an entry calls `name`. Other URLs are refused, and so is a name that does
 * not fit.
 */
enum kexec_status network_name(const struct network_base *base, const char *name, char ret_name[NETWORK_NAME_SIZE]);

/*
 * Writes the name of the entry beside our image, as an entry would name it: that of the image with .conf in place of
 * .efi, or with .conf appended where it ends otherwise.
 */
enum kexec_status network_conf(const struct network_base *base, char *ret_name, size_t capacity);
