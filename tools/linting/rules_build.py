# SPDX-License-Identifier: Apache-2.0
"""Rules about what was built: what core reaches, what core keeps, what a plugin exports.

Core's own objects are taken whole: each symbol they leave open must be plain memory or string
work, a look-up of tbl, or a function of base that itself reaches nothing else. For base the
question is asked function by function, from the relocations that objdump shows, because base
also holds the doors that core must not open (clock, entropy, mapped memory). The road ends at
must_fail and trail_add: what they do happens when core has already stopped deciding.
"""
import re
import subprocess

from .tree import Finding

PURE = {"memcpy", "memset", "memcmp", "memmove", "memchr", "strlen", "strnlen", "strcmp",
        "strncmp", "__memcpy_chk", "__memset_chk", "__memmove_chk", "__stack_chk_fail",
        "__udivti3", "__umodti3", "__divti3", "__modti3", "__udivmodti4", "__divmodti4",
        "__muloti4", "__popcountdi2",
        "__cpu_model", "_GLOBAL_OFFSET_TABLE_"}
LAST_WORDS = {"must_fail", "trail_add"}
NOT_FOR_CORE = ("clock_", "rng_", "log_")
WRITABLE = {".data", ".bss", ".tdata", ".tbss", "*COM*"}
_FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:")
_RELOCATION = re.compile(r":\s+R_\w+\s+(\S+)")
_DIRECT = re.compile(r"\s(?:call|jmp|j[a-z]{1,3}|bl?)\s+[0-9a-f]+ <([^>+]+)[>+]")


def _tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _symbols(library):
    """(defined, undefined) names over all members of a static library."""
    defined, undefined = set(), set()
    for line in _tool("nm", str(library)).splitlines():
        match = re.match(r"^[0-9a-f ]{16} (\w) (\S+)$", line)
        if match:
            (undefined if match.group(1) in "Uwv" else defined).add(match.group(2))
    return defined, undefined - defined


def _plain(name):
    """gcc's split and cloned parts count as their function."""
    return re.sub(r"\.(cold|part\.\d+|constprop\.\d+|isra\.\d+)", "",
                  re.sub(r"[-+]0x[0-9a-f]+$", "", name))


def calls(library):
    """function -> names its code refers to, from the disassembly of a library."""
    table, name, direct = {}, None, None
    for line in _tool("objdump", "-dr", "--no-show-raw-insn", str(library)).splitlines():
        relocation = _RELOCATION.search(line)
        # a relocation replaces the target that the line before it shows
        target = relocation.group(1) if relocation else direct
        direct = None
        if target and name and not target.startswith("."):
            table[name].add(_plain(target))
        head, jump = _FUNCTION.match(line), _DIRECT.search(line)
        if head:
            name = _plain(head.group(1))
            table.setdefault(name, set())
        elif jump:
            direct = jump.group(1)
    return table


def impure_roads(start, table, known):
    """Names reached from `start` that are neither pure nor known, with the road to each."""
    roads, queue, seen = {}, [(start, (start,))], set()
    while queue:
        name, road = queue.pop()
        if name in seen or name in LAST_WORDS:
            continue
        seen.add(name)
        if name in table:
            queue += [(target, road + (target,)) for target in sorted(table[name])]
        elif name not in PURE and name not in known:
            roads[name] = road
    return roads


def symbols(tree, build):
    """core reaches no heap, clock, chance, file, socket or thread, and keeps no variables"""
    library = build / "libtenon_core.a"
    if not library.exists():
        if tree.folders("host") and "host/core" in tree.folders("host") and any(
                s.is_below("host/core") and s.suffix == ".c" for s in tree.c_sources):
            yield Finding(str(library), 1, "symbols", "not built: ninja -C " + str(build))
        return
    known, table = set(), {}
    for folder in ("tbl", "base"):
        other = build / f"libtenon_{folder}.a"
        if other.exists():
            known |= {n for n in _symbols(other)[0] if not n.startswith(NOT_FOR_CORE)}
            table.update(calls(other))
    for name in sorted(_symbols(library)[1]):
        if name.startswith(NOT_FOR_CORE):
            yield Finding("host/core", 1, "symbols", f"core refers to {name}: time and chance "
                          f"come to it as events, words leave it as effects")
            continue
        for target, road in sorted(impure_roads(name, table, known).items()):
            yield Finding("host/core", 1, "symbols",
                          f"core reaches {target} by {' -> '.join(road)}; it may use memory "
                          f"and string basics, tbl, and what of base needs no more")
    for line in _tool("objdump", "-t", str(library)).splitlines():
        match = re.match(r"^[0-9a-f]{16} .{7} (\S+)\s+([0-9a-f]+) (?:\.hidden )?(\S+)$", line)
        if match and match.group(1) in WRITABLE and int(match.group(2), 16) > 0:
            yield Finding("host/core", 1, "symbols",
                          f"{match.group(3)} is a variable outside the state of step(): put it "
                          f"into struct core")


def exports(tree, build):
    """each plugin exports exactly one symbol, tn_entry"""
    for library in sorted((build / "plugins").glob("*.so")):
        lines = _tool("nm", "-D", "--defined-only", str(library)).splitlines()
        names = [line.split()[-1] for line in lines if line.strip()]
        if names != ["tn_entry"]:
            yield Finding(f"plugins/{library.name}", 1, "exports",
                          f"exports {', '.join(names) or 'nothing'}; a plugin exports tn_entry")


RULES = {"symbols": symbols, "exports": exports}
