// SPDX-License-Identifier: BSD-2-Clause
/* Splits and joins names of files on servers. */
#include "boot/network_name.h"

#include "boot/log.h"
#include "boot/volume_path.h"
#include "common/string.h"

/* Longest quote of a name in a message. */
#define QUOTE_MAX 120

#define CONF ".conf"

static struct text text_from(struct text text, size_t start)
{
	return (struct text){ .start = text.start + start, .length = text.length - start };
}

/* Bytes of `path` up to and including its last separator. */
static size_t folder_length(struct text path)
{
	size_t length = path.length;

	while (length && !volume_path_is_separator(path.start[length - 1]))
		length--;
	return length;
}

static void split(struct text path, struct network_base *base)
{
	size_t length = folder_length(path);

	base->folder = (struct text){ .start = path.start, .length = length };
	base->file = text_from(path, length);
}

struct network_base network_base_of_file(struct text file)
{
	struct network_base base = { .separator = '/' };

	split(file, &base);
	if (text_has(file, '\\') && !text_has(file, '/'))
		base.separator = '\\';
	return base;
}

/* Removes the scheme from *text, in upper or lower case. */
static bool take_scheme(struct text *text, struct text scheme)
{
	if (text->length < scheme.length)
		return false;
	for (size_t i = 0; i < scheme.length; i++) {
		if (text_lower(text->start[i]) != scheme.start[i])
			return false;
	}
	text_drop(text, scheme.length);
	return true;
}

/* RFC 3986, 2: a URL consists of ASCII without blanks and controls. */
static bool is_url_text(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.start[i] <= ' ' || text.start[i] == 0x7f)
			return false;
	}
	return true;
}

/* Bytes in front of the first of the characters in `ends`. */
static size_t length_until(struct text text, const char *ends)
{
	struct text end = text_of_string(ends);
	size_t length = 0;

	while (length < text.length && !text_has(end, text.start[length]))
		length++;
	return length;
}

enum kexec_status network_base_of_url(struct text url, struct network_base *ret_base)
{
	struct text quote = text_quote(url, QUOTE_MAX);
	struct network_base base = { .is_url = true, .separator = '/' };
	struct text rest = url;
	size_t authority;

	if (!is_url_text(url))
		return log_error(KEXEC_BAD_FORMAT, "own URL: expected printable ASCII, found other bytes");
	if (!take_scheme(&rest, TEXT("http://")) && !take_scheme(&rest, TEXT("https://")))
		return log_error(KEXEC_UNSUPPORTED, "own URL: expected http:// or https://, found \"%.*s\"",
				 TEXT_ARGS(quote));
	authority = length_until(rest, "/?#");
	if (!authority)
		return log_error(KEXEC_BAD_FORMAT, "own URL: expected the name of a server, found \"%.*s\"",
				 TEXT_ARGS(quote));
	text_drop(&rest, authority);
	base.origin = (struct text){ .start = url.start, .length = url.length - rest.length };
	rest.length = length_until(rest, "?#");
	split(rest.length ? rest : TEXT("/"), &base);
	*ret_base = base;
	return KEXEC_OK;
}

/* A name that is being written. */
struct name {
	char *bytes;
	size_t capacity;
	size_t length;
	bool is_cut;
};

static void put(struct name *name, char c)
{
	if (name->length + 1 < name->capacity)
		name->bytes[name->length++] = c;
	else
		name->is_cut = true;
}

static void put_text(struct name *name, struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		put(name, text.start[i]);
}

/* RFC 3986, 3.3: characters that need no encoding in a path (pchar), and the separator. */
static bool stands_for_itself(char c)
{
	bool is_letter = text_lower(c) >= 'a' && text_lower(c) <= 'z';
	return is_letter || text_is_digit(c) || text_has(TEXT("/-._~!$&'()*+,;=:@"), c);
}

static void put_encoded(struct name *name, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t byte = (uint8_t)c;

	if (stands_for_itself(c)) {
		put(name, c);
		return;
	}
	put(name, '%');
	put(name, digits[byte >> 4]);
	put(name, digits[byte & 15]);
}

static void put_path(struct name *name, const struct network_base *base, struct text path)
{
	for (size_t i = 0; i < path.length; i++) {
		char c = path.start[i];

		if (i && volume_path_is_separator(c) && volume_path_is_separator(path.start[i - 1]))
			continue;
		if (volume_path_is_separator(c))
			c = base->separator;
		if (base->is_url)
			put_encoded(name, c);
		else
			put(name, c);
	}
}

/*
 * TFTP servers with a root of their own look up a name without a leading separator from that root. Some take a name
 * with a leading separator for a path in the server's whole file system, and refuse it.
 */
static void put_name(struct name *name, const struct network_base *base, struct text path)
{
	bool from_root = path.length && volume_path_is_separator(path.start[0]);

	while (path.length && volume_path_is_separator(path.start[0]))
		text_drop(&path, 1);
	put_text(name, base->origin);
	if (!from_root)
		put_text(name, base->folder);
	else if (base->is_url)
		put(name, '/');
	put_path(name, base, path);
	name->bytes[name->length] = '\0';
}

/* Whether there is "scheme://" at the beginning. */
static bool is_url(struct text name)
{
	size_t scheme = length_until(name, ":/\\");
	struct text rest = text_from(name, scheme);

	return scheme && text_begins_with(rest, TEXT("://"));
}

enum kexec_status network_name(const struct network_base *base, const char *name, char ret_name[NETWORK_NAME_SIZE])
{
	struct name written = { .bytes = ret_name, .capacity = NETWORK_NAME_SIZE };
	struct text path = text_of_string(name);
	struct text quote = text_quote(path, QUOTE_MAX);

	if (is_url(path))
		return log_error(KEXEC_UNSUPPORTED,
				 "%.*s: expected a path on the server that this program came from, found a URL",
				 TEXT_ARGS(quote));
	put_name(&written, base, path);
	if (volume_path_leads_out(text_of_string(ret_name + base->origin.length)))
		return log_error(KEXEC_UNSUPPORTED, "%.*s: expected a path on the server, found one above its root",
				 TEXT_ARGS(quote));
	if (written.is_cut)
		return log_error(KEXEC_TOO_LARGE, "%.*s: expected at most %u bytes on the server, found more",
				 TEXT_ARGS(quote), NETWORK_NAME_SIZE - 1);
	return KEXEC_OK;
}

/* Removes the first byte, which may be percent-encoded in a URL. An encoded NUL stays encoded. */
static char take_byte(struct text *text, bool is_url)
{
	bool is_encoded = is_url && text->length >= 3 && text->start[0] == '%';
	int high = is_encoded ? text_hex_digit(text->start[1]) : -1;
	int low = is_encoded ? text_hex_digit(text->start[2]) : -1;
	char c = text->start[0];

	if (high >= 0 && low >= 0 && (high | low)) {
		c = (char)(high << 4 | low);
		text_drop(text, 2);
	}
	text_drop(text, 1);
	return c;
}

enum kexec_status network_conf(const struct network_base *base, char *ret_name, size_t capacity)
{
	struct name name = { .bytes = ret_name, .capacity = capacity };
	struct text file = base->file;

	if (!file.length)
		return log_error(KEXEC_NOT_FOUND,
				 "%.*s%.*s: expected the URL of a file to look for a .conf beside, found a folder's",
				 TEXT_ARGS(base->origin), TEXT_ARGS(text_quote(base->folder, QUOTE_MAX)));
	if (text_ends_in_efi(file))
		file.length -= 4;
	while (file.length)
		put(&name, take_byte(&file, base->is_url));
	put_text(&name, TEXT(CONF));
	name.bytes[name.length] = '\0';
	if (name.is_cut)
		return log_error(KEXEC_TOO_LARGE, "own name: expected at most %zu bytes, found more",
				 capacity - sizeof(CONF));
	return KEXEC_OK;
}
