// SPDX-License-Identifier: BSD-2-Clause
/* Folds keys, and knows those of others. */
#include "boot/key_habit.h"

#include "common/align.h"
#include "common/string.h"

/* The longest key of ours, and of those below, is shorter. */
#define FOLDED_MAX 24u

/* From how many letters on a single wrong one shows what was meant. */
#define LETTERS_MIN 5u

/* A key in lower case, without - and _. */
struct folded {
	char letters[FOLDED_MAX];
	size_t length;
	bool is_cut; /* it is longer than that */
	bool is_joined;
};

static bool is_ascii(char c)
{
	return c > ' ' && c <= '~';
}

/* In lower case. */
static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* A key ends here, although no blank follows. */
static bool ends_key(char c)
{
	return !is_ascii(c) || c == '=' || c == ':';
}

static struct folded fold(struct text name)
{
	struct folded folded = { 0 };
	size_t at = 0;

	while (at < name.length && !is_ascii(name.start[at]))
		at++;
	folded.is_joined = at != 0;
	for (; at < name.length && !ends_key(name.start[at]); at++) {
		char c = name.start[at];

		if (c == '-' || c == '_')
			continue;
		folded.is_cut = folded.length == FOLDED_MAX;
		if (folded.is_cut)
			return folded;
		folded.letters[folded.length++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	folded.is_joined |= at < name.length;
	return folded;
}

static struct text text_of(const struct folded *folded)
{
	return (struct text){ .start = folded->letters, .length = folded->length };
}

static struct text without_plural(struct text word)
{
	if (word.length && word.start[word.length - 1] == 's')
		word.length--;
	return word;
}

static void drop_first(struct text *text, size_t count)
{
	text->start += count;
	text->length -= count;
}

/* Whether one letter more, less or other, or two that change places, makes one word the other. */
static bool is_one_letter_off(struct text a, struct text b)
{
	struct text other_a;
	struct text other_b;

	while (a.length && b.length && a.start[0] == b.start[0]) {
		drop_first(&a, 1);
		drop_first(&b, 1);
	}
	other_a = a;
	other_b = b;
	if (a.length >= b.length && a.length)
		drop_first(&other_a, 1);
	if (b.length >= a.length && b.length)
		drop_first(&other_b, 1);
	if (text_equal(other_a, other_b))
		return true;
	if (a.length != b.length || a.length < 2 || a.start[0] != b.start[1] || a.start[1] != b.start[0])
		return false;
	drop_first(&a, 2);
	drop_first(&b, 2);
	return text_equal(a, b);
}

/* Both are folded. */
static bool means(struct text name, struct text key)
{
	if (text_equal(without_plural(name), without_plural(key)))
		return true;
	return key.length >= LETTERS_MIN && name.length && is_letter(name.start[0]) && is_one_letter_off(name, key);
}

struct meant_key key_habit_meant(struct text name)
{
	struct folded folded = fold(name);
	const struct entry_key *key;

	for (size_t i = 0; !folded.is_cut && (key = entry_key_at(i)) != NULL; i++) {
		struct folded ours = fold(key->name);

		if (means(text_of(&folded), text_of(&ours)))
			return (struct meant_key){ .key = key, .is_joined = folded.is_joined };
	}
	return (struct meant_key){ 0 };
}

#define OPTIONS "expected options"
#define LINUX "expected linux"
#define INITRD "expected initrd"
#define COMMAND "commands of GRUB are not carried out"
#define NOT_DONE "what it asks for does not happen"

/*
 * Folded. Of LILO, GRUB, syslinux and extlinux, ELILO, rEFInd, Limine and U-Boot; and keys of the Boot Loader
 * Specification that ask for something that this loader does not do.
 */
static const struct {
	struct text name;
	const char *lost;
} of_others[] = {
	{ TEXT("append"), OPTIONS },
	{ TEXT("cmdline"), OPTIONS },
	{ TEXT("commandline"), OPTIONS },
	{ TEXT("kernelcmdline"), OPTIONS },
	{ TEXT("kerneloptions"), OPTIONS },
	{ TEXT("kernelparams"), OPTIONS },
	{ TEXT("addoptions"), OPTIONS },
	{ TEXT("args"), OPTIONS },
	{ TEXT("arguments"), OPTIONS },
	{ TEXT("params"), OPTIONS },
	{ TEXT("parameters"), OPTIONS },
	{ TEXT("bootargs"), OPTIONS },
	{ TEXT("root"), "expected options root=" },
	{ TEXT("quiet"), OPTIONS " in front of it" },
	{ TEXT("ro"), OPTIONS " in front of it" },
	{ TEXT("rw"), OPTIONS " in front of it" },
	{ TEXT("kernel"), LINUX },
	{ TEXT("kernelpath"), LINUX },
	{ TEXT("image"), LINUX },
	{ TEXT("imagepath"), LINUX },
	{ TEXT("loader"), LINUX },
	{ TEXT("linuxefi"), LINUX },
	{ TEXT("linux16"), LINUX },
	{ TEXT("vmlinuz"), LINUX },
	{ TEXT("chainloader"), LINUX },
	{ TEXT("module"), INITRD },
	{ TEXT("module2"), INITRD },
	{ TEXT("modulepath"), INITRD },
	{ TEXT("initramfs"), INITRD },
	{ TEXT("ramdisk"), INITRD },
	{ TEXT("initrdefi"), INITRD },
	{ TEXT("initrd16"), INITRD },
	{ TEXT("ucode"), INITRD },
	{ TEXT("microcode"), INITRD },
	{ TEXT("menuentry"), COMMAND },
	{ TEXT("set"), COMMAND },
	{ TEXT("search"), COMMAND },
	{ TEXT("insmod"), COMMAND },
	{ TEXT("configfile"), COMMAND },
	{ TEXT("include"), NOT_DONE },
	{ TEXT("devicetree"), NOT_DONE },
	{ TEXT("devicetreeoverlay"), NOT_DONE },
	{ TEXT("devicetreedir"), NOT_DONE },
	{ TEXT("dtb"), NOT_DONE },
	{ TEXT("fdt"), NOT_DONE },
	{ TEXT("fdtdir"), NOT_DONE },
	{ TEXT("fdtoverlays"), NOT_DONE },
	{ TEXT("efi"), NOT_DONE },
	{ TEXT("uki"), NOT_DONE },
	{ TEXT("ukiurl"), NOT_DONE },
	{ TEXT("profile"), NOT_DONE },
	{ TEXT("extra"), NOT_DONE },
};

/* Keys whose names look like a policy, and are none. All of GRUB's own begin with grub. */
static const struct text no_policies[] = { TEXT("grub"), TEXT("menu"), TEXT("design") };

/* What stands in the names of policies. */
static const struct text policy_words[] = {
	TEXT("sign"),	TEXT("measur"),	  TEXT("verif"),    TEXT("verity"),   TEXT("requir"),	TEXT("secur"),
	TEXT("sha1"),	TEXT("sha2"),	  TEXT("sha3"),	    TEXT("sha5"),     TEXT("md5"),	TEXT("blake"),
	TEXT("digest"), TEXT("hash"),	  TEXT("check"),    TEXT("match"),    TEXT("dma"),	TEXT("iommu"),
	TEXT("memory"), TEXT("overwrit"), TEXT("fallback"), TEXT("forensic"), TEXT("trust"),	TEXT("tpm"),
	TEXT("pcr"),	TEXT("polic"),	  TEXT("attest"),   TEXT("seal"),     TEXT("password"), TEXT("enforc"),
};

static bool begins_with(struct text text, struct text prefix)
{
	return text.length >= prefix.length && memcmp(text.start, prefix.start, prefix.length) == 0;
}

static bool contains(struct text text, struct text part)
{
	for (; text.length; drop_first(&text, 1)) {
		if (begins_with(text, part))
			return true;
	}
	return false;
}

static bool looks_like_policy(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_policies); i++) {
		if (begins_with(name, no_policies[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(policy_words); i++) {
		if (contains(name, policy_words[i]))
			return true;
	}
	return false;
}

const char *key_habit_lost(struct text name)
{
	struct folded folded = fold(name);

	for (size_t i = 0; !folded.is_cut && i < ARRAY_SIZE(of_others); i++) {
		if (text_equal(of_others[i].name, text_of(&folded)))
			return of_others[i].lost;
	}
	if (looks_like_policy(text_of(&folded)))
		return NOT_DONE;
	return contains(name, TEXT("=")) ? OPTIONS " in front of it" : NULL;
}
