# SPDX-License-Identifier: BSD-2-Clause
"""Plans the changes of a machine. Each function returns a plan and the line for the user, and writes nothing."""

import dataclasses
import hashlib
import os

import loader

from . import boot_files, loader_words, operations, outcomes, partial_files
from .configuration import FIRMWARE, SYSTEMD_BOOT
from .errors import NO_ROOM, Refused
from .operations import Plan
from .store import Set, parse_image_name


def _megabytes(size):
    return f"{size / 1e6:.1f} MB"


# --- sets to remove --------------------------------------------------------------------------------------------------


def _first(machine):
    """The sets to which the machine falls back: the first in the boot order, the first that has come up, the first
    undamaged one, and the set that EFI/BOOT is a copy of."""
    menu, record = machine.menu, machine.record
    order = menu.in_order()
    good = [found for found in order if menu.is_good(found, record)]
    whole = next((found for found in good + order if machine.damage(found) is None), None)
    return {found for found in (*order[:1], *good[:1], whole, machine.removable.copied) if found}


def _protected(machine):
    """The sets that stay when others of their version go: those that run, boot first, or have come up."""
    good = {found for found in machine.store.sets() if machine.menu.is_good(found, machine.record)}
    return good | _first(machine) | {machine.menu.running()}


def _surplus(machine, versions, keep):
    """The sets of other versions than the newest `keep`. Sets that run, that are on trial, or to which the machine
    falls back are left out."""
    wanted = sorted(versions, key=boot_files.version_key, reverse=True)[:keep]
    stay = _first(machine) | {machine.menu.running(), machine.menu.armed()}
    return {found for found in machine.store.sets() if found.version not in wanted and found not in stay}


def _remove(machine, doomed):
    """The operations that remove sets from the menu and the ESP, together with files that no other set needs."""
    for found in doomed:
        machine.record.sets.pop(found.name, None)
    return [*machine.menu.unname(doomed), *machine.store.removal(machine.store.unneeded(doomed))]


def _may_be_named(machine, sets):
    """Whether unreachable firmware may have boot entries that name one of these sets: the record says so, or does not
    know the set."""
    if machine.menu.can_be_written:
        return False
    known = [machine.record.sets.get(found.name) for found in sets]
    return any(one is None or one["named"] or one["tries"] or one["blessed"] for one in known)


# --- add -------------------------------------------------------------------------------------------------------------


# The reasons to put a set into the menu without a trial at the next start.
_SPARE, _OTHERS, _WAITING = "spare", "others", "waiting"

_TRIAL_LINES = {
    None: "on trial at the next start",
    _SPARE: "is not newer than the kernel that boots first: it is at the end of the boot order",
    _OTHERS: "waits for its trial: another boot entry starts next",
    _WAITING: "waits for its trial: a newer kernel is on trial first",
}


def _obstacle(machine, found):
    """The reason not to start a set next; None if it may be started."""
    menu, record = machine.menu, machine.record
    first = menu.first_good(record)
    if first and boot_files.version_key(found.version) < boot_files.version_key(first.version):
        return _SPARE
    if menu.next_is_of_others():
        return _OTHERS
    armed = menu.armed()
    if armed and armed.key > found.key and armed.version != found.version:
        return _WAITING
    return None


def _without_entry(machine, found, is_copied):
    """The line for a set that got no boot entry because the firmware's variables cannot be reached: it names the next
    step."""
    if is_copied or machine.removable.set_name == found.name:
        return "is on the ESP, and EFI/BOOT boots it; once it has come up, kexec-efi bless makes its boot entry"
    return f"is on the ESP; no boot entry names it: run kexec-efi add {found.version} on the machine itself, booted by UEFI"


def _name(machine, found, title, is_asked, is_copied=False):
    """(the operations that put the set into the menu, the line for the user). `is_copied`: EFI/BOOT will be a copy of
    the set."""
    menu, record = machine.menu, machine.record
    if menu.name == SYSTEMD_BOOT:
        plan = menu.name_set(found, title)[1]
        return [*plan, *record.saved()], f"systemd-boot tries it {machine.configuration.tries} times"
    if not menu.can_be_written:
        return record.saved(), _without_entry(machine, found, is_copied)
    number, plan = menu.name_set(found, title)
    record.of(found.name)["named"] = True
    obstacle = None if is_asked else _obstacle(machine, found)
    if obstacle is None:
        record.arm(found.name, machine.system.boot_id)
        plan += menu.arm(number, found)
    elif obstacle == _SPARE:
        plan += menu.append(number, found)
    return [*plan, *record.saved()], _TRIAL_LINES[obstacle]


def _add_again(machine, found, title, is_asked):
    """The plan for a set that is already on the ESP and undamaged."""
    menu = machine.menu
    state, _ = machine.state(found)
    if state == "failed" and not is_asked:
        return Plan(), f"{found.name}: did not come up at its last trial: add --again tries it again"
    if state in ("unnamed", "waiting", "lost") or (is_asked and state not in ("good", "next")):
        # systemd-boot counts the tries in the name of the entry, so the entry is made anew.
        before = menu.unname({found}) if menu.name == SYSTEMD_BOOT else []
        change, words = _name(machine, found, title, is_asked)
        return Plan(before, change), f"{found.name}: {words}"
    return Plan(), f"{found.name}: is on the ESP already"


def _warn_of_fallback(machine, entry):
    """Warns if the entry names a fallback that does not exist."""
    fallback = loader.entry("the entry", entry)["fallback"]
    if not fallback:
        return
    part = {"name": fallback}
    place = loader.file_below(machine.esp.path, part)
    if not place.is_file():
        loader.warn(f"warning: entry=fallback {loader.path_of(part)}: expected an entry file {place}, found none: nothing "
                    "would boot in the place of a refused entry")


def add(machine, source, again=False):
    """Adds a kernel beside those that boot now."""
    plan, words = _add(machine, source, again)
    # Without room for a copy the kernel is added all the same.
    restored = _restored_copy(machine, plan)
    plan.after += restored
    return plan, words + (f"; EFI/BOOT boots {machine.removable.set_name}" if restored else "")


def _sets_to_copy(machine, plan):
    """(the undamaged sets that EFI/BOOT may copy after the plan, the best first; the content of each file that the plan
    writes, by its name)."""
    gone = {step.path.name for step in plan if isinstance(step, operations.RemoveFile)}
    files = {step.path.name: step.content for step in plan if isinstance(step, operations.Write)}
    written = [found for found in map(parse_image_name, files) if found]
    whole = [found for found in machine.store.sets() if f"{found.name}.efi" not in gone and machine.damage(found) is None]
    good = [found for found in whole if machine.menu.is_good(found, machine.record)]
    return [*good, *written, *whole], files


def _is_new_disk(machine):
    """Whether this is the disk of a machine that does not run, and none of its sets has come up: an image that is being
    made."""
    has_come_up = any(known["blessed"] for known in machine.record.sets.values())
    return not machine.system.runs_here and not machine.menu.can_be_written and not has_come_up


def _restored_copy(machine, plan):
    """The operations that restore EFI/BOOT after it was removed or damaged: as a copy of the same set if that is
    undamaged, or else of the best set. On a new disk EFI/BOOT follows the newest set."""
    is_new = _is_new_disk(machine)
    if not is_new and machine.removable.complaint() is None:
        return []
    sets, files = _sets_to_copy(machine, plan)
    before = [found for found in sets if found.name == machine.removable.set_name]
    candidates = sorted(sets, key=lambda one: one.key, reverse=True) if is_new else [*before, *sets]
    restored = machine.removable.follow(candidates[0], files) if candidates else []
    return [*restored, *machine.record.saved()] if restored else []


def _add(machine, source, again=False, is_copied=False):
    """Like `add`, except that EFI/BOOT stays. `is_copied`: the caller will make EFI/BOOT a copy of the set."""
    store, record = machine.store, machine.record
    if machine.shim_complaint:
        raise machine.shim_complaint
    made_by = boot_files.recipe(machine.system, machine.configuration, source)
    identity = made_by.identity_behind(machine.shim.name if machine.shim else "")
    same = next((found for found in store.sets() if (found.version, found.identity) == (source.version, identity)), None)
    if same and machine.damage(same) is None:
        return _add_again(machine, same, made_by.title, again)
    numbers = [found.number for found in store.sets() if found.version == source.version]
    found = Set(source.version, max(numbers, default=0) + 1, identity)
    files = boot_files.make(made_by, found.name, store.place)
    if not boot_files.names_a_root(made_by.command_line):
        loader.warn("warning: expected root= in the kernel command line, found none: the system must find its disk by itself "
                    "(systemd-gpt-auto-generator), or it does not come up")
    entry = dict(files).get(f"{found.name}.conf")
    if entry is not None:
        _warn_of_fallback(machine, entry)
    record.of(found.name)["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files
                                      if name.startswith(found.name)}

    stay = _protected(machine)
    doomed = {other for other in store.sets() if other.version == source.version and other not in stay}
    doomed |= _surplus(machine, {source.version, *(other.version for other in store.sets())}, machine.configuration.keep)
    gone = [name for name in store.unneeded(doomed) if name not in dict(files)]
    if machine.shim:
        files = [*machine.shim.files, *files]
    missing = [(name, content) for name, content in files if not store.has(name, content)]
    _expect_room(machine, found, [len(content) for _, content in missing], gone)

    before = [*machine.menu.unname(doomed), *store.removal(gone)]
    for other in doomed:
        record.sets.pop(other.name, None)
    change = operations.make_folders(store.folder, machine.esp.path)
    for name, content in missing:
        # A file of this name with another content is damaged, so it is replaced.
        partial_files.expect_own_clusters(store.folder / name)
        change += operations.write_file(store.folder / name, content, replaces=(store.folder / name).exists())
    change.append(operations.Flush(store.folder))
    naming, words = _name(machine, found, made_by.title, again, is_copied)
    return Plan(before, change + naming), f"{found.name}: {words}"


def _expect_room(machine, found, sizes, gone):
    needed, free = machine.store.room(sizes, gone)
    if not os.access(machine.esp.path, os.W_OK):
        raise Refused(f"{machine.esp.path}: expected a volume that can be written, found one that cannot")
    if needed > free:
        others = [other.version for other in machine.store.sets()
                  if other not in _protected(machine) and other.version != found.version]
        hint = f"; kexec-efi remove {others[-1]} makes room" if others else ""
        raise Refused(f"{machine.esp.path}: expected {_megabytes(needed)} of room for {found.version}, found "
                      f"{_megabytes(free)}{hint}", NO_ROOM)


# --- remove ----------------------------------------------------------------------------------------------------------


def remove(machine, version, is_forced=False):
    boot_files.check_version(version)
    doomed = {found for found in machine.store.sets() if found.version == version}
    doomed |= {found for found in machine.menu.named() if found.version == version}
    _expect_something_left(machine, doomed, is_forced)
    copied = _copy_of_another(machine, doomed)
    words = f"{version}: removed"
    if _may_be_named(machine, doomed):
        words += f"; boot entries may still name it: run kexec-efi remove {version} on the machine itself"
    plan = [*copied, *_remove(machine, doomed)]
    if not plan:
        return Plan(), f"{version}: is not on the ESP"
    return Plan(plan + machine.record.saved()), words


def _copy_of_another(machine, doomed):
    """The operations that make EFI/BOOT a copy of the best remaining set if it is a copy of one in `doomed`. Without a
    remaining set they remove it."""
    if machine.removable.set_name not in {found.name for found in doomed}:
        return []
    rest = [found for found in machine.store.sets() if found not in doomed and machine.damage(found) is None]
    good = [found for found in rest if machine.menu.is_good(found, machine.record)]
    return machine.removable.put((good or rest)[0]) if rest else machine.removable.remove()


def _expect_something_left(machine, doomed, is_forced):
    menu = machine.menu
    if is_forced:
        return
    if menu.can_be_written:
        boots = not doomed & set(menu.in_order()) or menu.boots_something(doomed)
        expected = "another boot entry in the boot order, found none: this machine"
    else:
        # The boot order cannot be read, so only EFI/BOOT is known to boot.
        boots = machine.removable.set_name not in {found.name for found in doomed} or set(machine.store.sets()) - doomed
        expected = "another kernel for EFI/BOOT, found none: this disk"
    if not boots:
        raise Refused(f"expected {expected} would not boot (--force)")
    if _may_be_named(machine, doomed) and not set(machine.store.sets()) - doomed:
        raise Refused("expected the firmware's variables, found none that can be reached: the boot order may name nothing "
                      "except the removed sets; run it on the machine itself, booted by UEFI (--force)")


# --- bless -----------------------------------------------------------------------------------------------------------


def _next_trial(machine):
    """The operations that put the newest waiting set on trial, if there is one."""
    menu, record = machine.menu, machine.record
    for found in machine.store.sets():
        state, _ = machine.state(found)
        if state == "waiting" and _obstacle(machine, found) is None:
            number = next(number for number, named in menu.ours().items() if named == found)
            record.arm(found.name, machine.system.boot_id)
            return [*menu.arm(number, found), *record.saved()]
    return []


def bless(machine):
    """Records that the running set has come up, and the outcomes of earlier trials."""
    if machine.variables is None:
        raise Refused("expected the firmware's variables, found none that can be reached: nothing is blessed")
    settled = outcomes.Witness(machine).settle()
    try:
        plan, words = _bless(machine)
    except Refused as refused:
        plan, words = Plan(complaint=refused), str(refused)
    plan.after = [*settled, *plan.after]
    return plan, words


def _bless(machine):
    """Puts the running set first, unless a newer one has come up before."""
    menu, record, system = machine.menu, machine.record, machine.system
    if menu.name == SYSTEMD_BOOT:
        return Plan(), "systemd-bless-boot.service blesses what systemd-boot has started"
    running = menu.running()
    if running is None:
        return Plan(after=_next_trial(machine)), "the running system was not started by a boot entry of kexec-efi"
    if menu.is_good(running, record):
        return Plan(after=_next_trial(machine)), f"{running.name}: is blessed already"
    if system.running_kernel != running.version:
        raise Refused(f"{running.name}: expected the kernel {running.version} to run, found {system.running_kernel}: "
                      "not blessed")
    fallback = loader_words.fallback(loader_words.log(machine.variables))
    if fallback:
        raise Refused(f"{running.name}: is not the kernel that runs: {fallback}: not blessed")
    record.of(running.name).update(blessed=True, named=True)
    # A set that was started from EFI/BOOT has no boot entry yet.
    naming = [] if running in menu.named() else menu.name_set(running, boot_files.title(system))[1]
    newer = menu.first_good(record)
    is_newest = newer is None or newer.key <= running.key
    change = [*naming, *menu.bless(running), *record.saved()]
    # Without room for a copy the set boots first all the same.
    copied = machine.removable.follow(running) if is_newest else []
    after = [*copied, *(record.saved() if copied else []), *_after_blessing(machine, running)]
    return Plan(change=change, after=after), f"{running.name}: has come up, and boots first"


def _after_blessing(machine, running):
    """The operations that remove surplus versions, and sets of this version that are older than the running one. If no
    other version has come up, the set of this version that came up before stays."""
    sets, record = machine.store.sets(), machine.record
    good = [found for found in sets if machine.menu.is_good(found, record) and found != running]
    spare = next((found for found in good if found.version == running.version), None)
    others = [found for found in good if found.version != running.version]
    doomed = {found for found in sets if found.version == running.version and found.key < running.key
              and (others or found != spare)}
    doomed |= _surplus(machine, {found.version for found in sets}, machine.configuration.keep) - {running}
    plan = _remove(machine, doomed)
    return [*plan, *record.saved()] if plan else []


# --- install, uninstall ----------------------------------------------------------------------------------------------


def expect_trusted(machine):
    """Refuses to set up unsigned images with Secure Boot on: the firmware would not start them."""
    if machine.variables is None:
        return
    signed = machine.configuration.key or (machine.configuration.mode == "split" and boot_files.signed_image_file())
    if machine.has_secure_boot and not signed:
        raise Refused("Secure Boot is on, and nothing signs the image: set key= and certificate= in /etc/kexec-efi.conf, and "
                      "enrol the certificate (--force)")


@dataclasses.dataclass
class Setup:
    """The options of `install`. `keys` are the operations that enrol keys."""

    is_forced: bool = False
    removable: bool = False
    shim: str = None
    keys: list = dataclasses.field(default_factory=list)


def install(machine, source, setup=None):
    setup = setup or Setup()
    if not setup.is_forced:
        expect_trusted(machine)
    _set_shim(machine, setup)
    record = machine.record
    record.menu, record.token, record.is_installed = machine.menu.name, machine.token, True
    is_copied = setup.removable or machine.configuration.removable == "yes"
    plan, words = _add(machine, source, is_copied=is_copied)
    if is_copied:
        if machine.menu.name == SYSTEMD_BOOT:
            raise Refused("--removable: expected boot entries of the firmware, found systemd-boot, which puts itself into "
                          "EFI/BOOT")
        (found, *_), files = _sets_to_copy(machine, plan)
        copied = machine.removable.put(found, files)
        plan.change += copied
        if copied and "EFI/BOOT" not in words:
            words += f"; EFI/BOOT boots {found.name}"
    plan.change += record.saved() if not plan.change or machine.removable.is_wanted else []
    plan.after += setup.keys
    return plan, words + (", with keys that are enrolled" if setup.keys else "")


def _set_shim(machine, setup):
    path = machine.configuration.shim if setup.shim is None else os.path.abspath(setup.shim)
    if setup.shim is not None and not machine.system.is_running:
        path = os.path.relpath(os.path.realpath(setup.shim), machine.system.root)
        if path.startswith(".."):
            raise Refused(f"{setup.shim}: expected shim below {machine.system.root} (--root), found it elsewhere")
    if path and machine.menu.name == SYSTEMD_BOOT:
        raise Refused("--shim: expected boot entries of the firmware, found systemd-boot, which has shim in front of itself")
    machine.use_shim(path)
    machine.menu = machine.new_menu()


def uninstall(machine, is_forced=False):
    """Removes all our files from the ESP and all our entries from the boot order. Changes that others have made to the
    order stay."""
    menu, store = machine.menu, machine.store
    doomed = set(store.sets()) | menu.named()
    _expect_something_left(machine, doomed, is_forced)
    menus = {FIRMWARE: "the boot order", SYSTEMD_BOOT: "systemd-boot's menu"}
    words = f"kexec-efi is no longer in {menus[menu.name]}" if menu.can_be_written else "its files are removed"
    if _may_be_named(machine, doomed):
        words += "; boot entries may still name them: run kexec-efi uninstall on the machine itself, booted by UEFI"
    plan = [*machine.removable.remove(), *_remove(machine, doomed)]
    if outcomes.Witness(machine).starts:
        plan.append(outcomes.forget(machine))
    # Of these folders, those that others use are not empty.
    for folder in (store.folder, store.folder.parent, store.folder.parent.parent):
        if folder.is_dir():
            plan.append(operations.RemoveFolder(folder))
    plan += [operations.RemoveFile(machine.record.path), operations.RemoveFolder(machine.record.path.parent)]
    return Plan(plan), words
