# SPDX-License-Identifier: Apache-2.0
"""Rules that need no knowledge of C: sizes, licence lines, unfinished words, READMEs, sleeps."""
import ast
import re

from .tree import WARNING, Finding

FILE_LINES, FILE_LINES_WARN = 1000, 700
FUNCTION_LINES = 70
LINE_COLUMNS = 100
README_LINES = 40
LICENCE = "SPDX-License-Identifier: Apache-2.0"
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
_SLEEP_CALL = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep|setTimeout)\s*\(")
_SLEEP_WORD = re.compile(r"(?:^|[;&|]|\b(?:do|then|else)\b)\s*sleep\s+[\d.$]")


def _is_measured(source):
    return source.is_c or source.is_script


def walls(tree):
    """files end at 1000 lines, functions at 70, lines at 100 columns"""
    for source in tree.sources:
        if not _is_measured(source):
            continue
        count = len(source.lines)
        if count > FILE_LINES:
            yield Finding(source.path, count, "walls",
                          f"{count} lines; the wall is {FILE_LINES}: part it by subject")
        elif count > FILE_LINES_WARN:
            yield Finding(source.path, count, "walls", f"{count} lines; has it one subject?",
                          WARNING)
        for number, line in enumerate(source.lines, 1):
            if len(line) > LINE_COLUMNS:
                yield Finding(source.path, number, "walls",
                              f"{len(line)} columns; a line ends at {LINE_COLUMNS}")
        for name, line, length in _function_sizes(source):
            if length > FUNCTION_LINES:
                yield Finding(source.path, line, "walls",
                              f"{name} has {length} lines; the wall is {FUNCTION_LINES}: "
                              f"give its parts names")


def _function_sizes(source):
    if source.is_c:
        for function in source.functions:
            yield function.name, function.line, function.line_count
    elif source.is_python:
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def blanks(tree):
    """no tabs, no spaces at line ends, a newline at the end of each source"""
    for source in tree.sources:
        if not _is_measured(source):
            continue
        for number, line in enumerate(source.lines, 1):
            if line != line.rstrip():
                yield Finding(source.path, number, "blanks", "white space at the end of the line")
            if "\t" in line and not source.is_test:
                yield Finding(source.path, number, "blanks", "a tab; indent with 4 spaces")
        if source.text and not source.text.endswith("\n"):
            yield Finding(source.path, len(source.lines), "blanks", "no newline at the end")


def licence(tree):
    """each source and script opens with its SPDX line"""
    for source in tree.sources:
        is_config = source.is_below("configs") and source.suffix in (".yaml", ".yml")
        if not (_is_measured(source) or is_config) or not source.lines:
            continue
        head = source.lines[1:2] if source.lines[0].startswith("#!") else source.lines[:1]
        if not head or LICENCE not in head[0]:
            start = "/* " if source.is_c else "# "
            yield Finding(source.path, 1, "licence", f"the first line is `{start}{LICENCE}`")


def unfinished(tree):
    """no words for work left undone"""
    for source in tree.sources:
        if not (_is_measured(source) or source.suffix in (".md", ".yaml", ".txt")):
            continue
        for number, line in enumerate(source.lines, 1):
            found = UNFINISHED.search(line)
            if found:
                yield Finding(source.path, number, "unfinished",
                              f"{found.group()}: finish it, or open an issue and say so there")


def readme(tree):
    """each folder of host/ and each plugin has a README.md; in host/ it ends at 40 lines"""
    for folder in tree.folders("host", "plugins", "strategies", "adapters"):
        path = f"{folder}/README.md"
        if not tree.has(path):
            yield Finding(path, 1, "readme", "missing: say what the folder is, its files, its "
                          "invariants")
    for source in tree.sources:
        if source.is_below("host") and source.name == "README.md":
            if len(source.lines) > README_LINES:
                yield Finding(source.path, len(source.lines), "readme",
                              f"{len(source.lines)} lines; a folder's page ends at {README_LINES}")


def sleeps(tree):
    """a test steps until something holds; it never sleeps"""
    for source in tree.sources:
        if not source.is_test or not _is_measured(source):
            continue
        lines = source.code.split("\n") if source.is_c else source.lines
        for number, line in enumerate(lines, 1):
            if line.lstrip().startswith("#") and not source.is_c:
                continue
            is_shell = source.is_script and not source.is_python
            if _SLEEP_CALL.search(line) or (is_shell and _SLEEP_WORD.search(line)):
                yield Finding(source.path, number, "sleeps",
                              "a sleep: wait for the event itself, at most N times")


def uncovered(tree):
    """the coverage floor is not lowered by markers that hide lines from it"""
    marker = re.compile(r"\b[GL]COVR?_EX" r"CL")
    for source in tree.c_sources:
        for number, line in enumerate(source.lines, 1):
            if source.is_below("host") and marker.search(line):
                yield Finding(source.path, number, "uncovered",
                              "a coverage exclusion: test the line, or take it out")


RULES = {"walls": walls, "blanks": blanks, "licence": licence, "unfinished": unfinished,
         "readme": readme, "sleeps": sleeps, "uncovered": uncovered}
