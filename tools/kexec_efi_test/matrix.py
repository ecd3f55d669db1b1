# SPDX-License-Identifier: BSD-2-Clause
"""Many boots from one file in TOML: options by their long names, with a list to try several values.

  [common]
  kernel = "bzImage"
  run = "true"

  [[boot]]
  firmware = ["ovmf", "secboot"]
  via = ["kexec-efi", "stub"]

is four boots. An option that can be repeated (expect, initrd...) takes a list for one boot; a list of lists is one boot
for each. Paths begin at the folder of the file.
"""

import itertools
import pathlib
import tomllib
from typing import Any, Dict, List, Tuple

from .errors import WrongCall, reason_of
from .machine import Path

# These options are for the run as a whole.
_NOT_FOR_ONE = ("matrix", "log", "junit", "json", "html", "gdb", "help", "quiet")


def _alternatives(name: str, value: Any, repeatable: bool) -> List[List]:
    """The values of each boot, a list for each."""
    if not isinstance(value, list):
        return [[value]]
    if not value:
        raise WrongCall(f"--matrix: {name}: expected something in the list, found nothing")
    if not repeatable:
        return [[item] for item in value]
    if all(isinstance(item, list) for item in value):
        return value
    return [value]


def _words(name: str, values: List) -> List[str]:
    words = []
    for value in values:
        if value is True:
            words.append(f"--{name}")
        elif isinstance(value, (str, int, float)) and value is not False:
            words.append(f"--{name}={value}")
        elif value is not False:
            raise WrongCall(f"--matrix: {name}: expected text, a number or true, found {value!r}")
    return words


def _title(fixed: Dict, chosen: Dict) -> str:
    if fixed.get("name"):
        return " ".join([str(fixed["name"]), *(str(value[-1]) for value in chosen.values())])
    return " ".join(str(value[-1]) for value in chosen.values()) or "boot"


def read(path: Path, known: Dict[str, bool]) -> List[Tuple[str, List[str]]]:
    """The boots of a file, as (name, words of a command line). `known` is a dict from each option to whether it is
    repeatable."""
    try:
        content = tomllib.loads(pathlib.Path(path).read_text())
    except OSError as error:
        raise WrongCall(f"--matrix: {reason_of(error, 'cannot read')}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongCall(f"--matrix {path}: expected TOML: {error}") from error
    others = sorted(set(content) - {"common", "boot"})
    if others:
        raise WrongCall(f"--matrix {path}: expected [common] and [[boot]], found {others[0]}")
    common, boots = content.get("common", {}), content.get("boot", [])
    if not isinstance(common, dict) or not isinstance(boots, list) or not all(isinstance(boot, dict) for boot in boots):
        raise WrongCall(f"--matrix {path}: expected [common] and [[boot]], found other tables")
    if not boots:
        raise WrongCall(f"--matrix {path}: expected at least one [[boot]], found none")
    found = []
    for boot in boots:
        found += _expand(path, {**common, **boot}, set(boot), known)
    names = [name for name, _ in found]
    # Boots of the same name get numbers.
    return [(name if names.count(name) == 1 else f"{name} #{names[:number].count(name) + 1}", words)
            for number, (name, words) in enumerate(found)]


def _expand(path: Path, options: Dict, own: set, known: Dict[str, bool]) -> List[Tuple[str, List[str]]]:
    for name in options:
        if name not in known or name in _NOT_FOR_ONE:
            raise WrongCall(f"--matrix {path}: {name}: expected the name of an option for one boot, found another word")
    choices = {name: _alternatives(name, value, known[name]) for name, value in options.items() if name != "name"}
    varied = [name for name, values in choices.items() if len(values) > 1]
    found = []
    for picked in itertools.product(*choices.values()):
        values = dict(zip(choices, picked))
        telling = own & {"firmware", "via", "kernel"} if "name" not in options else set()
        named = varied or [name for name in values if name in telling]
        title = _title(options, {name: values[name] for name in named})
        found.append((title, [word for name, value in values.items() for word in _words(name, value)]))
    return found
