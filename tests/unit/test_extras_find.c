// SPDX-License-Identifier: BSD-2-Clause
/* Which boots use which sidecars, from which folders, and in which order Linux gets them. */
#include "efi/extras/extras.h"

#include <stdio.h>

#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

#define OWN_DEVICE ((EFI_HANDLE)0x1000)
#define OTHER_DEVICE ((EFI_HANDLE)0x2000)

/* --- fakes --- */

static char listed[600];      /* the listed paths, and their device */
static const char *fails_for; /* listing this folder fails */
static bool is_on_network;
static bool verifies;

/* Each folder has one file of each kind, and one that is not a sidecar. */
static const char *const names[] = { "a.addon.efi", "b.confext.raw", "c.cred", "d.raw", "e.txt" };
static bool is_empty;

enum kexec_status folder_list(struct volume *volume, const char *path, struct folder *ret_folder)
{
	size_t length = strlen(listed);

	snprintf(listed + length, sizeof(listed) - length, "%s%s ", volume->device == OWN_DEVICE ? "own:" : "other:", path);
	if (fails_for && strcmp(path, fails_for) == 0)
		return log_error(KEXEC_IO, "%s: fails", path);
	for (size_t i = ARRAY_SIZE(names); !is_empty && i-- > 0;) {
		struct folder_name *name;
		void *memory;

		expect_ok(pool_alloc(sizeof(*name) + strlen(names[i]) + 1, "name", &memory));
		name = memory;
		strcpy(name->text, names[i]);
		name->next = ret_folder->names;
		ret_folder->names = name;
	}
	return KEXEC_OK;
}

void folder_free(struct folder *folder)
{
	while (folder->names) {
		struct folder_name *name = folder->names;

		folder->names = name->next;
		pool_free(name);
	}
}

void volume_start(struct volume *volume, EFI_HANDLE device, enum volume_role role)
{
	*volume = (struct volume){ .device = device, .role = role };
}

void volume_close(struct volume *volume)
{
	(void)volume;
}

enum part_source sources_origin(const struct sources *sources)
{
	(void)sources;
	return is_on_network ? PART_ON_NETWORK : PART_ON_VOLUME;
}

/* \E\k.efi, with the counter of systemd-boot's boot counting. */
static uint8_t own_nodes[] = { 4, 4, 34, 0, '\\', 0, 'E', 0, '\\', 0, 'k', 0, '+', 0, '3', 0, '-', 0, '1', 0,
			       '.', 0, 'e', 0, 'f', 0, 'i', 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 4, 0 };
static EFI_LOADED_IMAGE own_image = { .FilePath = (EFI_DEVICE_PATH *)own_nodes };

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
	(void)handle, (void)guid;
	*ret_interface = &own_image;
	return EFI_SUCCESS;
}

/* --- listed folders --- */

static struct sources sources = { .own_device = OWN_DEVICE, .volume.device = OTHER_DEVICE };
static struct unified_view view;
static struct boot_part kernel;
static struct extras extras;

static bool addons_are_verified(void)
{
	return verifies;
}

static enum kexec_status find(bool has_view)
{
	static EFI_BOOT_SERVICES boot_services = { .HandleProtocol = handle_protocol };
	static EFI_SYSTEM_TABLE system_table = { .BootServices = &boot_services };
	const struct extras_request request = {
		.kernel = &kernel,
		.view = has_view ? &view : NULL,
		.addons_are_verified = addons_are_verified,
	};

	firmware_init(NULL, &system_table);
	listed[0] = '\0';
	log_clear();
	return extras_find(&request, &sources, &extras);
}

static void expect_list(const char *expected)
{
	char found[600] = "";
	size_t length = 0;

	for (size_t i = 0; i < extras.count; i++)
		length += (size_t)snprintf(found + length, sizeof(found) - length, "%s ", extras.list[i].name);
	assert_string_equal(found, expected);
}

static void free_all(void)
{
	extras_free(&extras);
	assert_int_equal(fake_pool_outstanding(), 0);
	extras_free(&extras);
}

/* The part is sealed by a digest only if it has one. */
static void use_kernel(const char *name, enum part_source source, enum trust trust)
{
	kernel = (struct boot_part){ .name = name, .source = source, .trust = trust };
	kernel.fsverity.is_known = trust == TRUST_DIGEST;
}

#define OF_ALL(device)                                                                                                 \
	device ":\\loader\\addons " device ":%s " device ":\\loader\\credentials " device ":\\loader\\extensions "

static void expect_listed(const char *format, const char *folder)
{
	char expected[600];

	snprintf(expected, sizeof(expected), format, folder);
	assert_string_equal(listed, expected);
}

/* --- tests --- */

static void own_image_takes_all(void **state)
{
	(void)state;
	use_kernel(".linux", PART_IN_IMAGE, TRUST_IMAGE);
	view.image.sections[UNIFIED_OS_RELEASE].size = 5;
	view.image.sections[UNIFIED_SIGNATURE].size = 6;
	view.image.sections[UNIFIED_PROFILE].size = 7;
	view.image.sections[UNIFIED_PUBLIC_KEY].size = 8;
	expect_ok(find(true));
	assert_int_equal(extras.policy, EXTRAS_ALL);
	expect_listed(OF_ALL("own"), "\\E\\k.efi.extra.d");
	expect_list(".extra/credentials .extra/global_credentials .extra/sysext .extra/global_sysext .extra/confext "
		    ".extra/global_confext .pcrsig .pcrpkey .osrel .profile ");
	assert_string_equal(logged(), "");
	free_all();
}

static void image_of_an_entry_takes_all_that_is_beside_it(void **state)
{
	(void)state;
	use_kernel("/EFI/Linux/x+2.efi", PART_ON_VOLUME, TRUST_PLATFORM);
	expect_ok(find(true));
	assert_int_equal(extras.policy, EXTRAS_ALL);
	expect_listed(OF_ALL("other"), "/EFI/Linux/x.efi.extra.d");
	assert_true(extras_may_add(&extras));
	free_all();
}

static void plain_kernel_takes_none(void **state)
{
	(void)state;
	use_kernel("/vmlinuz", PART_ON_VOLUME, TRUST_PLATFORM);
	expect_ok(find(false));
	assert_int_equal(extras.policy, EXTRAS_NONE);
	assert_string_equal(listed, "");
	expect_list("");
	assert_false(extras_may_add(&extras));
	free_all();
}

static void what_is_sealed_by_a_digest_takes_verified_addons_only(void **state)
{
	static const char beside[] = "warning: \\E\\k.efi.extra.d: 3 of its files are not used: a sealed kernel takes only "
				     "addons, with Secure Boot on\n";

	(void)state;
	use_kernel("/x.efi", PART_ON_VOLUME, TRUST_DIGEST);
	verifies = true;
	expect_ok(find(true));
	assert_int_equal(extras.policy, EXTRAS_ADDONS);
	/* They are beside our own image, not beside the kernel that its entry names. */
	expect_listed(OF_ALL("own"), "\\E\\k.efi.extra.d");
	expect_list("");
	assert_non_null(strstr(logged(), beside));
	assert_true(extras_may_add(&extras));
	free_all();
}

static void what_is_sealed_takes_nothing_that_nobody_verifies(void **state)
{
	(void)state;
	use_kernel("/vmlinuz", PART_ON_VOLUME, TRUST_DIGEST);
	expect_ok(find(false));
	assert_int_equal(extras.policy, EXTRAS_NONE);
	assert_false(extras_may_add(&extras));
	assert_non_null(strstr(logged(), "warning: \\loader\\addons: 4 of its files are not used"));
	free_all();
	is_empty = true;
	expect_ok(find(false));
	assert_string_equal(logged(), "");
	free_all();
}

/* A server has no folders to list, but the image's sections are used. */
static void image_from_a_network_has_sections_only(void **state)
{
	(void)state;
	view.image.sections[UNIFIED_OS_RELEASE].size = 5;
	use_kernel("/x.efi", PART_ON_NETWORK, TRUST_PLATFORM);
	expect_ok(find(true));
	assert_string_equal(listed, "");
	expect_list(".osrel ");
	free_all();
	is_on_network = true;
	use_kernel(".linux", PART_IN_IMAGE, TRUST_IMAGE);
	expect_ok(find(true));
	assert_string_equal(listed, "");
	expect_list(".osrel ");
	free_all();
}

static void image_without_a_path_has_no_folder_beside_it(void **state)
{
	(void)state;
	own_image.FilePath = NULL;
	use_kernel(".linux", PART_IN_IMAGE, TRUST_IMAGE);
	expect_ok(find(true));
	assert_string_equal(listed, "own:\\loader\\addons own:\\loader\\credentials own:\\loader\\extensions ");
	free_all();
}

static void folder_that_cannot_be_listed_is_refused(void **state)
{
	(void)state;
	use_kernel(".linux", PART_IN_IMAGE, TRUST_IMAGE);
	fails_for = "\\loader\\credentials";
	expect_error(find(true), KEXEC_IO, "\\loader\\credentials: fails");
	free_all();
}

static void options_of_addons_are_joined(void **state)
{
	(void)state;
	expect_ok(extras_add_options(&extras, TEXT("")));
	assert_int_equal(extras.addon_options.length, 0);
	expect_ok(extras_add_options(&extras, TEXT("a=1 b")));
	expect_ok(extras_add_options(&extras, TEXT("")));
	expect_ok(extras_add_options(&extras, TEXT("c")));
	assert_true(text_equal(extras.addon_options, TEXT("a=1 b c")));
	expect_ok(extras_settle_command_line(&extras, TEXT("said")));
	assert_true(text_equal(extras.command_line, TEXT("said a=1 b c")));
	extras.machine_options = TEXT("m");
	expect_ok(extras_settle_command_line(&extras, TEXT("")));
	assert_true(text_equal(extras.command_line, TEXT("a=1 b c m")));
	fake_pool_fail_at(1);
	assert_int_equal(extras_add_options(&extras, TEXT("d")), KEXEC_NO_MEMORY);
	free_all();
}

static void file_stands_in_the_place_of_a_section(void **state)
{
	static const uint8_t digest[SHA256_DIGEST_SIZE];

	(void)state;
	use_kernel("/vmlinuz", PART_ON_VOLUME, TRUST_NOBODY);
	expect_ok(find(false));
	expect_ok(extras_add_file(&extras, UNIFIED_SIGNATURE, "{}", 2, digest));
	expect_list(".pcrsig ");
	assert_string_equal(extras.list[0].file_name, "tpm2-pcr-signature.json");
	assert_true(text_equal(unified_content(extras.list[0].view, UNIFIED_SIGNATURE), TEXT("{}")));
	assert_ptr_equal(extras.list[0].digest, digest);
	free_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_image_takes_all),
		cmocka_unit_test(image_of_an_entry_takes_all_that_is_beside_it),
		cmocka_unit_test(plain_kernel_takes_none),
		cmocka_unit_test(what_is_sealed_by_a_digest_takes_verified_addons_only),
		cmocka_unit_test(what_is_sealed_takes_nothing_that_nobody_verifies),
		cmocka_unit_test(image_from_a_network_has_sections_only),
		cmocka_unit_test(image_without_a_path_has_no_folder_beside_it),
		cmocka_unit_test(folder_that_cannot_be_listed_is_refused),
		cmocka_unit_test(options_of_addons_are_joined),
		cmocka_unit_test(file_stands_in_the_place_of_a_section),
	};

	return run_named_tests(tests);
}
