# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. The table is CMakeLists.txt's tenon_folder lines: what a folder links is
what it may see, so the rule exists once. On top of it:

  plugin-api sees itself and a few C headers; every host folder sees plugin-api;
  of core, others see core/step.h only; *_priv.h are doors for a folder's own tests;
  plugins, strategies and adapters see plugin-api, their own folder and plain C headers;
  the mains, tools/tenon, benches and tests see all public headers.
"""
import re

from .tree import Finding

C_HEADERS = {"assert.h", "ctype.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h",
             "stdbool.h", "stddef.h", "stdint.h", "string.h"}
CORE_HEADERS = C_HEADERS - {"math.h", "float.h", "ctype.h"}
CORE_PUBLIC = {"core/step.h", "core/seq.h"}  # step and the sequencer that numbers for it
# what a LINKS word of tenon_folder lets a folder include
LIBRARY_HEADERS = {
    "PkgConfig::SSL": ("openssl/",), "${ROCKSDB}": ("rocksdb/",), "PkgConfig::YAML": ("yaml.h",),
    "PkgConfig::UV": ("uv.h", "uv/"), "PkgConfig::WEBSOCKETS": ("libwebsockets.h",),
    "PkgConfig::SECCOMP": ("seccomp.h",), "PkgConfig::CURSES": ("curses.h", "ncurses.h"),
    "PkgConfig::ZSTD": ("zstd.h",), "PkgConfig::ZLIB": ("zlib.h",),
    "PkgConfig::JANSSON": ("jansson.h",), "Threads::Threads": ("pthread.h", "threads.h"),
    "${CMAKE_DL_LIBS}": ("dlfcn.h", "link.h"),
}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.MULTILINE)
_FOLDER = re.compile(r"tenon_folder\(\s*(\w+)([^)]*)\)")


def folder_table(tree):
    """folder -> (folders it may see, LINKS words), from CMakeLists.txt."""
    table = {}
    path = tree.root / "CMakeLists.txt"
    text = re.sub(r"#[^\n]*", "", path.read_text()) if path.exists() else ""
    for name, rest in _FOLDER.findall(text):
        uses = re.search(r"USES([^A-Z]*)", rest)
        links = re.search(r"LINKS(.*)", rest, re.DOTALL)
        table[name] = (set(uses.group(1).split()) if uses else set(),
                       set(links.group(1).split()) if links else set())
    return table


def includes(source):
    """(line, is_quoted, path) of each include that is not in a comment."""
    for match in _INCLUDE.finditer(source.text):
        if source.code[match.start():match.end()].lstrip().startswith("#"):
            yield source.line_at(match.start(1)), match.group(1) == '"', match.group(2)


def _host_folder(source):
    if source.is_below("host") and len(source.parts) > 2:
        return source.parts[1]
    return None


def _check_host(source, folder, table, is_quoted, path):
    """None, or why this include is not allowed in host/<folder>."""
    uses, links = table[folder]
    if not is_quoted:
        for word, headers in LIBRARY_HEADERS.items():
            if path.startswith(headers) and word not in links:
                return (f"<{path}> belongs to a library that host/{folder} does not link; go "
                        f"through a folder that does")
        if folder == "core" and path not in CORE_HEADERS:
            return f"core does no I/O and holds no floats: <{path}> is not for it"
        return None
    target = path.split("/")[0] if "/" in path else None
    if target is None:
        return f'write the folder too: "{folder}/{path}"'
    if target == "tenon" or target == folder:
        return None
    if target not in uses:
        seen = ", ".join(sorted({folder, "plugin-api"} | uses))
        return f'host/{folder} may see {seen}; "{path}" is beyond it'
    if path.endswith("_priv.h"):
        return f'"{path}" is a test door of host/{target}; use its public header'
    if target == "core" and folder != "core" and path not in CORE_PUBLIC:
        return f'of core, others see "core/step.h" and "core/seq.h" only, not "{path}"'
    return None


def _check_plugin(source, tree, is_quoted, path):
    if path.startswith("tenon/") or (not is_quoted and path in C_HEADERS):
        return None
    own = "/".join(source.parts[:2])
    if is_quoted and any(tree.has(f"{folder}/{path}")
                         for folder in (own, "/".join(source.parts[:-1]))):
        return None
    return f"a plugin sees tenon/*.h, its own folder and plain C headers; {path} is none of these"


def _check_main(source, is_quoted, path):
    """The mains, the CLI and the benches: public headers."""
    if is_quoted and path.endswith("_priv.h"):
        return f'"{path}" is a door for tests; use the public header'
    if is_quoted and path.startswith("core/") and path not in CORE_PUBLIC:
        return f'of core, others see "core/step.h" and "core/seq.h" only, not "{path}"'
    return None


def _verdict(tree, table, source, is_quoted, path):
    folder = _host_folder(source)
    if source.is_test:
        return None
    if source.is_below("plugin-api/include"):
        if path.startswith("tenon/") or (not is_quoted and path in C_HEADERS):
            return None
        return f"an ABI header includes its siblings and plain C headers; {path} is neither"
    if source.is_below("plugins", "strategies", "adapters"):
        return _check_plugin(source, tree, is_quoted, path)
    if folder:
        if folder not in table:
            return f"host/{folder} has no tenon_folder line in CMakeLists.txt"
        return _check_host(source, folder, table, is_quoted, path)
    return _check_main(source, is_quoted, path)


def include(tree):
    """a file includes only what its folder may see (CMakeLists.txt is the table)"""
    table = folder_table(tree)
    for source in tree.c_sources:
        for line, is_quoted, path in includes(source):
            reason = _verdict(tree, table, source, is_quoted, path)
            if reason:
                yield Finding(source.path, line, "include", reason)


RULES = {"include": include}
