// SPDX-License-Identifier: BSD-2-Clause
/* Folds keys, and lists the keys of other loaders. */
#include "boot/key_habit.h"

#include "common/align.h"

/* Longer than every key of ours, and than those below. */
#define FOLDED_MAX 24u

/* In a key with this many letters or more, one wrong letter still shows which key was meant. */
#define LETTERS_MIN 5u

/* A key in lower case, without - and _. */
struct folded {
	char letters[FOLDED_MAX];
	size_t length;
	bool is_cut; /* the key has more letters */
	bool is_joined;
};

static bool is_ascii(char c)
{
	return c > ' ' && c <= '~';
}

/* `c` is in lower case. */
static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Whether the character ends a key, although it is not a blank. */
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
		folded.letters[folded.length++] = text_lower(c);
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

/* Whether the words differ by one letter that is added, missing or different, or by two neighbours that are swapped. */
static bool is_one_letter_off(struct text a, struct text b)
{
	struct text other_a;
	struct text other_b;

	while (a.length && b.length && a.start[0] == b.start[0]) {
		text_drop(&a, 1);
		text_drop(&b, 1);
	}
	other_a = a;
	other_b = b;
	if (a.length >= b.length && a.length)
		text_drop(&other_a, 1);
	if (b.length >= a.length && b.length)
		text_drop(&other_b, 1);
	if (text_equal(other_a, other_b))
		return true;
	if (a.length != b.length || a.length < 2 || a.start[0] != b.start[1] || a.start[1] != b.start[0])
		return false;
	text_drop(&a, 2);
	text_drop(&b, 2);
	return text_equal(a, b);
}

/* Both are folded. */
static bool means(struct text name, struct text key)
{
	if (text_equal(without_plural(name), without_plural(key)))
		return true;
	return key.length >= LETTERS_MIN && name.length && is_letter(name.start[0]) && is_one_letter_off(name, key);
}

/* Whether `relation` holds between the name and one of the words. */
static bool any_word(const char *words, struct text name, bool (*relation)(struct text name, struct text word))
{
	struct text rest = text_of_string(words);

	while (rest.length) {
		if (relation(name, text_take_word(&rest)))
			return true;
	}
	return false;
}

/* Names for an initrd in GRUB, Limine and other loaders. Linux must not start without an initrd that was asked for. */
static const char initrds_of_others[] =
	"module module2 modulepath init initfs initialrd initialramdisk ramdisk ramfs initrdefi initrd16 ucode "
	"microcode";

/* Finds the key that was probably meant. NULL if there is none. */
static const struct entry_key *find_meant(const struct folded *folded)
{
	const struct entry_key *key;

	if (any_word(initrds_of_others, text_of(folded), text_equal) || means(text_of(folded), TEXT("initramfs")))
		return entry_key_find(TEXT("initrd"));
	for (size_t i = 0; (key = entry_key_at(i)) != NULL; i++) {
		struct folded ours = fold(key->name);

		if (means(text_of(folded), text_of(&ours)))
			return key;
	}
	return NULL;
}

struct meant_key key_habit_meant(struct text name)
{
	struct folded folded = fold(name);
	const struct entry_key *key = folded.is_cut ? NULL : find_meant(&folded);

	if (!key)
		return (struct meant_key){ 0 };
	return (struct meant_key){ .key = key, .is_joined = folded.is_joined };
}

#define OPTIONS "expected options"
#define NO_EFFECT "it has no effect"

/*
 * Keys of LILO, GRUB, syslinux and extlinux, ELILO, rEFInd, Limine and U-Boot, and keys of the Boot Loader
 * Specification that this loader does not implement. They are folded, and stand in one string with blanks between them,
 * because each pointer would cost the image a relocation.
 */
static const struct {
	const char *lost;
	const char *names;
} of_others[] = {
	{ OPTIONS,
	  "append cmdline commandline kernelcmdline kerneloptions kernelparams addoptions args arguments params "
	  "parameters bootargs" },
	{ OPTIONS " in front of it", "quiet ro rw" },
	{ OPTIONS " root=", "root" },
	{ "expected linux", "kernel kernelpath path image imagepath loader linuxefi linux16 vmlinuz chainloader" },
	{ "expected uki, for a unified image", "efi" },
	{ "commands of GRUB are not carried out", "menuentry set search insmod configfile" },
	{ NO_EFFECT, "include devicetree devicetreeoverlay devicetreedir dtb fdt fdtdir fdtoverlays ukiurl "
		     "extra" },
};

/* Keys that begin like this are not policies, even if they look like one. All of GRUB's own begin with grub. */
static const char no_policies[] = "grub menu design";

/* Parts of names of policies. */
static const char policies[] =
	"sign measur verif verity requir secur sha1 sha2 sha3 sha5 md5 blake digest hash check match dma "
	"b2sum b3sum iommu memory overwrit fallback forensic trust tpm pcr polic attest seal password enforc";

const char *key_habit_lost(struct text name)
{
	struct folded folded = fold(name);
	struct text letters = text_of(&folded);

	for (size_t i = 0; !folded.is_cut && i < ARRAY_SIZE(of_others); i++) {
		if (any_word(of_others[i].names, letters, text_equal))
			return of_others[i].lost;
	}
	if (!any_word(no_policies, letters, text_begins_with) && any_word(policies, letters, text_contains))
		return NO_EFFECT;
	return text_contains(name, TEXT("=")) ? OPTIONS " in front of it" : NULL;
}
