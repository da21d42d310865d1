# SPDX-License-Identifier: Apache-2.0
"""Rules about C as this house writes it: names, magics, enums, TRY, floats in core."""
import re

from .tree import Finding

_TN_DEFINED = re.compile(
    r"\b(?:struct|union|enum)\s+(tn_\w+)\s*\{|^[ \t]*#[ \t]*define\s+((?:tn|TN)_\w+)"
    r"|\btypedef\b[^;{}]*\b(tn_\w+)\s*;", re.MULTILINE)
_TYPEDEF_TAG = re.compile(r"\btypedef\s+(?:struct|union|enum)\b")
_TYPEDEF_FUNCTION = re.compile(r"\btypedef\b[^;{}]*\(\s*\*\s*(\w+)\s*\)\s*\(")
_TAG_T = re.compile(r"\b(?:struct|union|enum)\s+(\w+_t)\s*\{")
_MAGIC = re.compile(r"\b(\w*_MAGIC)\s*(?:=\s*)?(0x[0-9a-fA-F]+)")
_ENUM = re.compile(r"\benum\s+(\w+)\s*\{\s*(\w+)\s*(\(|=\s*([^,}]+))?")
_ENUM_ZERO = re.compile(r"UNSET|NONE|UNDECIDED")
_OPTIONS = {"TN_STATE_SCHEMA", "TN_WARMUP"}  # what tenon/easy.h lets its includer say
_WORDS = re.compile(r"\w+|[{}();?]")


def names(tree):
    """tn_ is defined in plugin-api only (but for the options of easy.h); no typedef'd structs, no
    _t, _fn on function types"""
    for source in tree.c_sources:
        if not source.is_below("plugin-api", "tests"):
            yield from _tn_outside(source)
        if not source.is_below("plugin-api"):
            yield from _type_names(source)


def _tn_outside(source):
    for match in _TN_DEFINED.finditer(source.code):
        name = next(group for group in match.groups() if group)
        if name in _OPTIONS:
            continue
        yield Finding(source.path, source.line_at(match.start()), "names",
                      f"{name}: the prefix tn_ is defined in plugin-api only")
    for function in source.functions:
        if function.name.startswith("tn_"):
            yield Finding(source.path, function.line, "names",
                          f"{function.name}: the prefix tn_ is defined in plugin-api only")


def _type_names(source):
    for match in _TYPEDEF_TAG.finditer(source.code):
        yield Finding(source.path, source.line_at(match.start()), "names",
                      "a typedef'd struct, union or enum: write the tag where it is used")
    for match in _TAG_T.finditer(source.code):
        yield Finding(source.path, source.line_at(match.start()), "names",
                      f"{match.group(1)}: _t is for integers of the standard")
    for match in _TYPEDEF_FUNCTION.finditer(source.code):
        if not match.group(1).endswith("_fn"):
            yield Finding(source.path, source.line_at(match.start()), "names",
                          f"{match.group(1)}: a function type ends in _fn")


def magics(tree):
    """two kinds of object never share a magic (the same name may restate it elsewhere)"""
    owner = {}
    for source in tree.c_sources:
        for match in _MAGIC.finditer(source.code):
            name, value = match.group(1), int(match.group(2), 16)
            first = owner.setdefault(value, (name, source.path))
            if first[0] != name:
                yield Finding(source.path, source.line_at(match.start()), "magics",
                              f"{name} has the value of {first[0]} in {first[1]}")


def enums(tree):
    """zero of an enum is unset (result codes excepted)"""
    for source in tree.c_sources:
        if not source.is_below("host", "plugin-api/include"):
            continue
        for match in _ENUM.finditer(source.body):
            tag, first, rest, value = match.groups()
            if rest == "(" or (value is not None and value.strip() not in ("0", "0u")):
                continue
            if not _ENUM_ZERO.search(first) and tag != "result_code":
                yield Finding(source.path, source.line_at(match.start()), "enums",
                              f"enum {tag} begins with {first} at 0; zero is ..._UNSET")


def guards(tree):
    """TRY stands alone: not in a loop, not inside an expression"""
    for source in tree.c_sources:
        for function in source.functions:
            start = function.opening
            words = [(m.group(), m.start() + start)
                     for m in _WORDS.finditer(source.body[start:function.closing + 1])]
            for at, reason in _misplaced(words):
                yield Finding(source.path, source.line_at(at), "guards", f"TRY {reason}")


def _misplaced(words):
    loops, parens, has_question = [], 0, False
    for i, (word, at) in enumerate(words):
        if word == "{":
            loops.append(_opens_loop(words, i))
        elif word == "}":
            loops.pop()
        elif word in "()":
            parens += 1 if word == "(" else -1
        if word in "{};":
            has_question = False
        has_question = has_question or word == "?"
        if word != "TRY":
            continue
        if parens > 0 or has_question:
            yield at, "inside an expression: give the result a name and test it"
        elif any(loops) or _opens_loop(words, i):
            yield at, "in a loop: keep the result, leave the loop, then hand it up"


def _opens_loop(words, i):
    """Does the statement or block at words[i] belong to a loop, also through unbraced ifs?"""
    while i > 0:
        before = words[i - 1][0]
        if before == "do":
            return True
        if before == "else":
            return False
        if before != ")":
            return False
        depth, j = 0, i - 1
        while j >= 0:
            depth += (words[j][0] == ")") - (words[j][0] == "(")
            if depth == 0:
                break
            j -= 1
        keyword = words[j - 1][0] if j > 0 else ""
        if keyword in ("for", "while"):
            return True
        if keyword != "if":
            return False
        i = j - 1
    return False


def floats(tree):
    """core holds no floating point"""
    for source in tree.c_sources:
        if source.is_below("host/core"):
            for match in re.finditer(r"\b(double|float)\b", source.code):
                yield Finding(source.path, source.line_at(match.start()), "floats",
                              f"{match.group()}: money and quantities are integers (base/num)")


RULES = {"names": names, "magics": magics, "enums": enums, "guards": guards, "floats": floats}
