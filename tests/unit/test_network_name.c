// SPDX-License-Identifier: BSD-2-Clause
/* Names of files on the server that the image comes from. */
#include "boot/network_name.h"

#include "tests/unit/support.h"

static char name[NETWORK_NAME_SIZE];
static char conf[32];

static struct network_base base_of_url(const char *url)
{
	struct network_base base;

	expect_ok(network_base_of_url(text_of_string(url), &base));
	return base;
}

static struct network_base base_of_file(const char *file)
{
	return network_base_of_file(text_of_string(file));
}

static void expect_name(struct network_base base, const char *path, const char *expected)
{
	expect_ok(network_name(&base, path, name));
	assert_string_equal(name, expected);
}

static void expect_conf(struct network_base base, const char *expected)
{
	expect_ok(network_conf(&base, conf, sizeof(conf)));
	assert_string_equal(conf, expected);
}

static void url_from_the_root_and_beside_the_image(void **state)
{
	struct network_base base = base_of_url("http://server:8000/boot/x64/kexecx64.efi");

	(void)state;
	expect_name(base, "/vmlinuz", "http://server:8000/vmlinuz");
	expect_name(base, "\\EFI\\debian\\vmlinuz", "http://server:8000/EFI/debian/vmlinuz");
	expect_name(base, "//vmlinuz", "http://server:8000/vmlinuz");
	expect_name(base, "vmlinuz", "http://server:8000/boot/x64/vmlinuz");
	expect_name(base, "a/b", "http://server:8000/boot/x64/a/b");
	expect_conf(base, "kexecx64.conf");
}

static void url_of_any_shape(void **state)
{
	(void)state;
	expect_name(base_of_url("HTTPS://[2001:db8::1]/a.efi"), "/b", "HTTPS://[2001:db8::1]/b");
	expect_name(base_of_url("http://a/b/c.efi?mac=1/2&x#y/z"), "d", "http://a/b/d");
	expect_conf(base_of_url("http://a/b/c.EFI?x=/y.efi"), "c.conf");
	expect_name(base_of_url("http://a"), "b", "http://a/b");
	expect_name(base_of_url("http://a?b/c"), "/d", "http://a/d");
	expect_conf(base_of_url("http://a/boot"), "boot.conf");
}

static void url_that_is_none(void **state)
{
	struct network_base base;

	(void)state;
	expect_error(network_base_of_url(TEXT("ftp://a/b"), &base), KEXEC_UNSUPPORTED,
		     "own URL: expected http:// or https://, found \"ftp://a/b\"");
	expect_error(network_base_of_url(TEXT("http:/a"), &base), KEXEC_UNSUPPORTED, "expected http:// or https://");
	expect_error(network_base_of_url(TEXT("http:"), &base), KEXEC_UNSUPPORTED, "expected http:// or https://");
	expect_error(network_base_of_url(TEXT(""), &base), KEXEC_UNSUPPORTED, "expected http:// or https://");
	expect_error(network_base_of_url(TEXT("http:///a"), &base), KEXEC_BAD_FORMAT,
		     "own URL: expected the name of a server, found \"http:///a\"");
	expect_error(network_base_of_url(TEXT("http://a/b c"), &base), KEXEC_BAD_FORMAT,
		     "own URL: expected printable ASCII, found other bytes");
	expect_error(network_base_of_url(TEXT("http://a/\xc3\xa4"), &base), KEXEC_BAD_FORMAT, "printable ASCII");
	expect_error(network_base_of_url(TEXT("http://a/\x7f"), &base), KEXEC_BAD_FORMAT, "printable ASCII");
}

static void url_of_a_folder_has_no_entry_beside(void **state)
{
	struct network_base base = base_of_url("http://a/boot/");

	(void)state;
	expect_error(network_conf(&base, conf, sizeof(conf)), KEXEC_NOT_FOUND,
		     "http://a/boot/: expected the URL of a file to look for a .conf beside, found a folder's");
}

static void what_a_url_has_no_room_for_is_encoded(void **state)
{
	struct network_base base = base_of_url("http://a/my%20files/kexec%20%78.efi");

	(void)state;
	expect_name(base, "/my kernel", "http://a/my%20kernel");
	expect_name(base, "b c", "http://a/my%20files/b%20c");
	expect_name(base, "/100%?#\"<>[]^`{|}", "http://a/100%25%3F%23%22%3C%3E%5B%5D%5E%60%7B%7C%7D");
	expect_name(base, "/a-._~!$&'()*+,;=:@Z9", "http://a/a-._~!$&'()*+,;=:@Z9");
	expect_name(base, "/\xc3\xa4\x01\x7f", "http://a/%C3%A4%01%7F");
	/* The name beside the image is decoded, as in an entry. The request encodes it again. */
	expect_conf(base, "kexec x.conf");
	expect_conf(base_of_url("http://a/%zz%4%00%"), "%zz%4%00%.conf");
}

static void tftp_from_the_root_and_beside_the_image(void **state)
{
	struct network_base base = base_of_file("dir/kexecx64.efi");

	(void)state;
	expect_name(base, "/vmlinuz", "vmlinuz");
	expect_name(base, "\\a b\\c%20", "a b/c%20");
	expect_name(base, "vmlinuz", "dir/vmlinuz");
	expect_conf(base, "kexecx64.conf");
	expect_conf(base_of_file("kexec%20.EFI"), "kexec%20.conf");
	expect_name(base_of_file("kexec"), "vmlinuz", "vmlinuz");
	expect_name(base_of_file("/srv/tftp/kexec"), "kexec.conf", "/srv/tftp/kexec.conf");
}

static void tftp_of_windows(void **state)
{
	struct network_base base = base_of_file("boot\\x64\\kexecx64.efi");

	(void)state;
	expect_name(base, "/a/b", "a\\b");
	expect_name(base, "c/d", "boot\\x64\\c\\d");
	expect_name(base_of_file("\\boot/kexec.efi"), "a\\b", "\\boot/a/b");
}

static void other_urls_are_refused(void **state)
{
	struct network_base base = base_of_url("http://a/b");

	(void)state;
	expect_error(network_name(&base, "https://a/c", name), KEXEC_UNSUPPORTED,
		     "https://a/c: expected a path on the server that this program came from, found a URL");
	expect_name(base, "/c://d", "http://a/c:/d");
	expect_name(base, "://d", "http://a/:/d");
	expect_name(base, "c:/", "http://a/c:/");
}

static void runs_of_separators_are_one(void **state)
{
	(void)state;
	expect_name(base_of_url("http://a/b/c.efi"), "//d//\\e", "http://a/d/e");
	expect_name(base_of_file("b/c.efi"), "d//e", "b/d/e");
}

static void paths_above_the_root(void **state)
{
	struct network_base url = base_of_url("http://a/b/c.efi");
	struct network_base file = base_of_file("b/c.efi");

	(void)state;
	expect_name(url, "../d", "http://a/b/../d");
	expect_name(url, "/d/../e", "http://a/d/../e");
	expect_error(network_name(&url, "/../d", name), KEXEC_UNSUPPORTED,
		     "/../d: expected a path on the server, found one above its root");
	expect_error(network_name(&url, "../../d", name), KEXEC_UNSUPPORTED, "found one above its root");
	expect_error(network_name(&file, "..\\..\\d", name), KEXEC_UNSUPPORTED, "found one above its root");
	expect_error(network_name(&file, "/../d", name), KEXEC_UNSUPPORTED, "found one above its root");
}

static void name_that_does_not_fit(void **state)
{
	struct network_base base = base_of_file("");
	char path[NETWORK_NAME_SIZE + 1] = { 0 };

	(void)state;
	memset(path, 'x', NETWORK_NAME_SIZE - 1);
	expect_name(base, path, path);
	path[NETWORK_NAME_SIZE - 1] = 'x';
	expect_error(network_name(&base, path, name), KEXEC_TOO_LARGE,
		     ": expected at most 1023 bytes on the server, found more");
	base = base_of_file("abcdefghijklmnopqrstuvwxyz.efi");
	expect_conf(base, "abcdefghijklmnopqrstuvwxyz.conf");
	base = base_of_file("abcdefghijklmnopqrstuvwxyz0.efi");
	expect_error(network_conf(&base, conf, sizeof(conf)), KEXEC_TOO_LARGE,
		     "own name: expected at most 26 bytes, found more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url_from_the_root_and_beside_the_image),
		cmocka_unit_test(url_of_any_shape),
		cmocka_unit_test(url_that_is_none),
		cmocka_unit_test(url_of_a_folder_has_no_entry_beside),
		cmocka_unit_test(what_a_url_has_no_room_for_is_encoded),
		cmocka_unit_test(tftp_from_the_root_and_beside_the_image),
		cmocka_unit_test(tftp_of_windows),
		cmocka_unit_test(other_urls_are_refused),
		cmocka_unit_test(runs_of_separators_are_one),
		cmocka_unit_test(paths_above_the_root),
		cmocka_unit_test(name_that_does_not_fit),
	};

	return run_named_tests(tests);
}
