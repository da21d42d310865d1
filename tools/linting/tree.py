# SPDX-License-Identifier: Apache-2.0
"""The tree under the linter's eyes: its files, and C without comments, strings and directives.

C is not parsed. Comments and the insides of strings are blanked with spaces, so that positions
and line numbers stay; the rules then look for words and braces in what is left. That reads all
the C of this house, because its style leaves little to guess, and it needs no compiler.
"""
import bisect
import functools
import re
import subprocess

WARNING, ERROR = "warning", "error"
SCRIPT_SUFFIXES = {".py", ".sh", ".cmake", ".ts"}
_BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


class Finding:
    def __init__(self, path, line, rule, text, grade=ERROR):
        self.path, self.line, self.rule, self.text = path, line, rule, text
        self.is_warning = grade == WARNING

    def __str__(self):
        note = "warning: " if self.is_warning else ""
        return f"{self.path}:{self.line}: {self.rule}: {note}{self.text}"


def _spaces(match):
    kept = re.sub(r"[^\n]", " ", match.group())
    if match.group()[0] in "\"'":
        quote = match.group()[0]
        return quote + kept[1:-1] + quote
    return kept


class Source:
    """One text file. `code` is the text without comments and strings, `body` also without
    preprocessor lines; both keep every position of `text`."""

    def __init__(self, root, path):
        self.path = path
        self.parts = path.split("/")
        self.name = self.parts[-1]
        self.suffix = "." + self.name.rsplit(".", 1)[1] if "." in self.name[1:] else ""
        raw = (root / path).read_bytes()
        self.is_text = b"\0" not in raw
        self.text = raw.decode("utf-8", "replace") if self.is_text else ""
        self.lines = self.text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        first = self.lines[0] if self.lines else ""
        self.is_c = self.suffix in (".c", ".h")
        self.is_python = self.suffix == ".py" or ("#!" in first and "python" in first)
        self.is_script = (self.suffix in SCRIPT_SUFFIXES or first.startswith("#!")
                          or self.name == "CMakeLists.txt")

    @functools.cached_property
    def code(self):
        return _BLANKED.sub(_spaces, self.text)

    @functools.cached_property
    def body(self):
        return _DIRECTIVE.sub(_spaces, self.code)

    @functools.cached_property
    def _line_starts(self):
        return [0] + [m.end() for m in re.finditer("\n", self.text)]

    def line_at(self, position):
        return bisect.bisect_right(self._line_starts, position)

    def is_below(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)

    @property
    def is_test(self):
        return self.is_below("tests") or self.name.endswith(("_test.c", "_test.py"))

    @functools.cached_property
    def functions(self):
        return list(_functions(self))


class Function:
    def __init__(self, source, name, start, opening, closing):
        self.name = name
        self.opening, self.closing = opening, closing  # positions of its braces
        self.line = source.line_at(start)
        self.line_count = source.line_at(closing) - self.line + 1


def _functions(source):
    """Braces at the outermost level that follow a parameter list."""
    depth, start, opened = 0, 0, None
    for match in re.finditer(r"[{};]", source.body):
        at, sign = match.start(), match.group()
        if sign == "{":
            if depth == 0:
                opened = (at, source.body[start:at], start)
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0 and opened:
                head = _head(opened[1])
                if head:
                    yield Function(source, head[0], opened[2] + head[1], opened[0], at)
                opened = None
        if depth == 0:
            start = match.end()
        if depth < 0:
            return


def _head(text):
    """(name, position of the name) when the text before a brace ends with `name(...)`."""
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", lambda m: " " * len(m.group()), text,
                  flags=re.DOTALL).rstrip()
    if not text.endswith(")"):
        return None
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            name = re.search(r"(\w+)\s*$", text[:at])
            return (name.group(1), name.start(1)) if name else None
    return None


class Tree:
    def __init__(self, root):
        self.root = root.resolve()
        self.sources = [s for s in (Source(self.root, path) for path in sorted(self._paths()))
                        if s.is_text]
        self.c_sources = [s for s in self.sources if s.is_c]

    def _paths(self):
        """What git tracks or would track; without git, all that lies there but build/."""
        try:
            listed = subprocess.run(
                ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others",
                 "--exclude-standard"], capture_output=True, check=True).stdout.decode()
            paths = {path for path in listed.split("\0") if path}
        except (OSError, subprocess.CalledProcessError):
            paths = {str(p.relative_to(self.root)) for p in self.root.rglob("*")
                     if p.relative_to(self.root).parts[0] not in ("build", ".git")}
        return {path for path in paths
                if (self.root / path).is_file() and not (self.root / path).is_symlink()}

    def has(self, path):
        return (self.root / path).exists()

    def folders(self, *parents):
        """Folders directly below the parents that hold C."""
        found = set()
        for source in self.c_sources:
            for parent in parents:
                if source.is_below(parent) and len(source.parts) > 2:
                    found.add("/".join(source.parts[:2]))
        return sorted(found)
