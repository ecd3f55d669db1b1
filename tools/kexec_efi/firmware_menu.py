# SPDX-License-Identifier: BSD-2-Clause
"""Sets as boot entries of the firmware (UEFI specification 3.1). A set that has not come up yet is on trial: BootNext
names it, BootOrder does not. So the firmware starts it once. If it does not come up, the machine falls back to the set
that booted before."""

import re
import struct

from . import load_option, shim
from .operations import SetVariable
from .outcomes import NOT_STARTED, TRIES_MAX
from .store import parse_image_name
from .variables import GLOBAL

NAME = "firmware"

_ENTRY = re.compile("Boot([0-9A-F]{4})")
_TITLE_MAX = 100


def number_name(number):
    return f"Boot{number:04X}"


class FirmwareMenu:
    name = NAME

    def __init__(self, variables, esp, store, shim=None, started=None):
        self._variables = variables     # None if the machine's variables cannot be reached
        self._shim = shim               # the shim in front of each image, or None
        self._started = started         # our set that was started from EFI/BOOT, not by a boot entry
        self._esp = esp
        self._store = store
        # The values that planned operations will set. The operations planned after them build on these values.
        self._planned = {}

    # --- entries ---

    @property
    def can_be_written(self):
        return self._variables is not None

    def _data(self, name):
        if name in self._planned:
            return self._planned[name]
        return self._variables.data(name) if self._variables else None

    def _numbers(self, name):
        """The numbers of entries in a variable. Ignores an odd byte at its end."""
        data = self._data(name)
        return [number for number, in struct.iter_unpack("<H", data[:len(data) // 2 * 2])] if data else []

    @property
    def order(self):
        return self._numbers("BootOrder")

    @property
    def next(self):
        """The number of the entry in BootNext, which the firmware starts once; None without one."""
        return (self._numbers("BootNext") or [None])[0]

    @property
    def current(self):
        return (self._numbers("BootCurrent") or [None])[0]

    def _entry_numbers(self):
        names = {*(self._variables.names(GLOBAL) if self._variables else ()), *self._planned}
        names = sorted(name for name in names if self._planned.get(name, b"") is not None)
        return [int(found[1], 16) for found in map(_ENTRY.fullmatch, names) if found]

    def entries(self):
        """A dict from number to LoadOption, of all entries that can be read."""
        found = {}
        for number in self._entry_numbers():
            option = load_option.parse(self._data(number_name(number)) or b"")
            if option:
                found[number] = option
        return found

    def ours(self):
        """A dict from number to Set, of the entries that name an image of ours. The image may be missing."""
        found = {}
        for number, option in self.entries().items():
            folder, _, image = (option.path or "").rpartition("/")
            if shim.NAME.fullmatch(image):
                folder, _, image = shim.image_in(option.optional).rpartition("/")
            named = parse_image_name(image)
            is_here = option.partition_uuid == self._esp.partition.uuid and folder.lower() == self._store.place.lower()
            if named and is_here:
                found[number] = named
        return found

    def named(self):
        """The sets that boot entries name."""
        return set(self.ours().values())

    def in_order(self):
        """Our sets in the order of BootOrder."""
        ours = self.ours()
        return list(dict.fromkeys(ours[number] for number in self.order if number in ours))

    def is_good(self, found, record):
        return record.is_blessed(found.name) and found in self.in_order()

    def first_good(self, record):
        return next((found for found in self.in_order() if record.is_blessed(found.name)), None)

    def running(self):
        return self.ours().get(self.current) or self._started

    def armed(self):
        """Our set that BootNext names."""
        return self.ours().get(self.next)

    def starts_next(self):
        """Our set that the firmware starts next, unless the user chooses another entry; None if the next entry is not
        ours."""
        entries = self.entries()
        first = next((number for number in self.order if number in entries and entries[number].is_active), None)
        return self.ours().get(first if self.next is None else self.next)

    def next_is_of_others(self):
        return self.next is not None and self.armed() is None

    def boots_something(self, without):
        """Whether the order names anything other than the sets in `without`."""
        ours, entries = self.ours(), self.entries()
        return any(entries[number].is_active and ours.get(number) not in without
                   for number in self.order if number in entries)

    # --- operations ---

    def _set(self, name, data, meaning):
        self._planned[name] = data
        return SetVariable(self._variables, name, data, meaning)

    def _set_order(self, order, meaning):
        if order == self.order:
            return []
        data = struct.pack(f"<{len(order)}H", *order) if order else None
        return [self._set("BootOrder", data, meaning)]

    def _set_next(self, number, meaning):
        return [self._set("BootNext", None if number is None else struct.pack("<H", number), meaning)]

    def _free_number(self):
        taken = {*self._entry_numbers(), *self.order, self.next}
        return next(number for number in range(0x10000) if number not in taken)

    def name_set(self, found, title):
        """(the number of the set's entry, the operations that make the entry)."""
        for number, named in self.ours().items():
            if named == found:
                return number, []
        number = self._free_number()
        label = f"{title}, {found.version} (kexec-efi)"[:_TITLE_MAX]
        image = f"{self._store.place}/{found.name}.efi"
        if self._shim:
            path = f"{self._store.place}/{self._shim.name}"
            data = load_option.make(label, self._esp.partition, path, shim.load_options(image))
        else:
            data = load_option.make(label, self._esp.partition, image)
        return number, [self._set(number_name(number), data, label)]

    def arm(self, number, found):
        return self._set_next(number, f"{found.name} is on trial at the next start")

    def append(self, number, found):
        """Puts the set at the end of the boot order, because it has not come up yet."""
        order = self.order
        return [] if number in order else self._set_order([*order, number], f"{found.name} at the end")

    def bless(self, found):
        """The operations that put the set behind our newer sets, or without any at the front of the boot order."""
        ours = self.ours()
        number = next(number for number, named in ours.items() if named == found)
        order = [other for other in self.order if other != number]
        newer = [i for i, other in enumerate(order) if other in ours and ours[other].key > found.key]
        place = newer[-1] + 1 if newer else 0
        return self._set_order([*order[:place], number, *order[place:]], f"{found.name} has come up")

    def unname(self, sets):
        """The operations that remove all references to these sets: first BootNext and BootOrder, then the entries."""
        gone = {number: named for number, named in self.ours().items() if named in sets}
        if not gone:
            return []
        names = ", ".join(sorted({named.name for named in gone.values()}))
        plan = self._set_next(None, f"no trial of {names}") if self.next in gone else []
        plan += self._set_order([number for number in self.order if number not in gone], f"without {names}")
        return plan + [self._set(number_name(number), None, named.name) for number, named in gone.items()]

    # --- for people ---

    def label(self, number):
        """The name of an entry, for people."""
        option = self.entries().get(number)
        return f"{number_name(number)} ({option.description})" if option else number_name(number)

    def _waiting(self):
        if self.next_is_of_others():
            return f"it waits for its trial: {self.label(self.next)} starts next"
        return "it waits for its trial"

    def state(self, found, record, boot_id, outcome):
        """(a word, an explanation) for the state of a set. `outcome` returns the outcome of a set's last trial."""
        known = record.sets.get(found.name, {})
        tries, armed = known.get("tries", 0), known.get("armed", "")
        if not self.can_be_written:
            return "unknown", "its boot entry is in the firmware's variables, which are not used"
        if found not in self.named():
            return "unnamed", "no boot entry names it"
        if self.is_good(found, record):
            return "good", "it has come up"
        if self.running() == found and not known.get("outcome"):
            return "trial", "it runs, and has not been blessed yet"
        if self.armed() == found:
            return "next", "it is on trial at the next start"
        if found in self.in_order():
            return "spare", "it is not newer than the kernel that boots first; not tried"
        if known.get("blessed"):
            return "lost", "it has come up, but is no longer in the boot order"
        if known.get("outcome") or (armed and armed != boot_id):
            ended = outcome(found)
            if ended.kind == NOT_STARTED and tries < TRIES_MAX:
                return "waiting", f"{ended}; it waits for another trial"
            return "failed", f"{ended}{f' ({tries} tries)' if tries > 1 else ''}"
        return "waiting", self._waiting()
