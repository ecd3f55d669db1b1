# SPDX-License-Identifier: BSD-2-Clause
"""The outcomes of trials. In an EFI variable the loader notes each start of an entry that the boot order does not name,
each refusal and each stop (loader_words). The next `bless` copies the note to the record."""

import dataclasses

from . import loader_words
from .operations import SetVariable
from .variables import KEXEC

# The loader refused it; the purgatory or the firmware stopped it; it was started and did not come up; it was not
# started.
REFUSED, STOPPED, LOST, NOT_STARTED = KINDS = ("refused", "stopped", "lost", "not-started")

# A set whose trial was not started waits for another one, up to this number of tries.
TRIES_MAX = 3


@dataclasses.dataclass(frozen=True)
class Outcome:
    kind: str
    reason: str
    time: str = ""      # of the firmware's clock; empty if it is not known

    def __str__(self):
        when = f"was tried at {self.time}: " if self.time else ""
        return when + self.reason


class Witness:
    """The starts of a machine, as the loader's log and notes report them now."""

    def __init__(self, machine):
        self._machine = machine
        self.starts = loader_words.starts(machine.variables)
        self._log = loader_words.log(machine.variables)
        self._stop = loader_words.note(machine.variables) or loader_words.stop_in(self._log)

    def _path(self, found):
        return f"{self._machine.store.place}/{found.name}.efi".lower()

    def _noted(self, found):
        """The outcome by the last note about a set and the note behind it; None without one."""
        places = [i for i, start in enumerate(self.starts) if start.path.lower() == self._path(found)]
        if not places:
            return None
        last = self.starts[places[-1]]
        if last.what == "refused":
            return Outcome(REFUSED, last.line or "it was refused", last.time)
        following = self.starts[places[-1] + 1:][:1]
        if following and following[0].what == "stopped":
            return Outcome(STOPPED, following[0].line, last.time)
        if self._stop:
            return Outcome(STOPPED, self._stop, last.time)
        return Outcome(LOST, "did not come up (panic or hang: it left no reason)", last.time)

    def refusal(self, found):
        """The loader's refusal of a set, whether it is on trial or not; None without one."""
        noted = self._noted(found)
        return noted if noted and noted.kind == REFUSED else None

    def outcome(self, found):
        """The outcome of a set's last trial. The trial must be over, and the set must not be running."""
        known = self._machine.record.sets.get(found.name, {})
        if known.get("outcome") in KINDS:
            return Outcome(known["outcome"], known["reason"], known["time"])
        return self._noted(found) or Outcome(NOT_STARTED, self._reason_not_started())

    def _reason_not_started(self):
        menu = self._machine.menu
        current = menu.current
        if current is not None and current not in menu.ours() and current not in menu.order[:1]:
            return f"was not started: {menu.label(current)} was started instead"
        hint = "; Secure Boot is on: does the firmware trust its signature?" if self._machine.has_secure_boot else ""
        return f"the loader noted no start of it: BootNext was lost, or the firmware refused its image{hint}"

    # --- the record ---

    def settle(self):
        """The operations that copy the note to the record, and delete it once it is of no more use. The note stays
        while a boot entry is refused at each start, because the loader would only write it again."""
        machine, is_kept, is_changed = self._machine, True, False
        for found in machine.store.sets():
            state, _ = machine.state(found)
            known = machine.record.sets.get(found.name, {})
            is_over = state in ("failed", "waiting") and known.get("armed") not in ("", None, machine.system.boot_id)
            fallback = loader_words.fallback(self._log) if state == "trial" else None
            if known.get("outcome") or not (is_over or fallback):
                continue
            outcome = Outcome(REFUSED, fallback) if fallback else self.outcome(found)
            known.update(outcome=outcome.kind, reason=outcome.reason, time=outcome.time)
            is_changed = True
            is_kept = is_kept and self._noted(found) is None
        paths = {self._path(found): found for found in machine.store.sets()}
        paths.update(machine.removable.paths())
        # An entry whose fallback has booted is refused at the next start as well.
        running = None if loader_words.fallback(self._log) else machine.menu.running()
        for start in self.starts:
            path = start.path.lower()
            is_ours = path in paths or path.startswith(machine.store.place.lower() + "/")
            if start.what == "stopped" or (is_ours and path not in paths) or (running and paths.get(path) == running):
                is_kept = False
        plan = machine.record.saved() if is_changed else []
        return plan if is_kept or not self.starts else [*plan, forget(machine)]


def forget(machine):
    """The operation that deletes the note."""
    return SetVariable(machine.variables, loader_words.STARTS, None, "no longer needed", KEXEC)
