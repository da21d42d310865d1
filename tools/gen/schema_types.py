#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes plugin-api/schema/types.d.ts from the JSON schemas beside it.

The schemas are the source; the types are committed so that a dashboard builds without this tool,
and a test compares them. Only the keywords below are understood: another one stops the tool, so
that no schema says something that its type does not know of.

  schema_types.py          write types.d.ts
  schema_types.py --check  exit 1 when it is not up to date
"""
import json
import pathlib
import sys
import textwrap

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "plugin-api" / "schema"
SCHEMAS = ("signal-v1", "execution-report-v1", "denial-v1")
KEYWORDS = {"$comment", "$schema", "$id", "$defs", "$ref", "title", "description", "type",
            "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
            "enum", "const", "pattern", "minimum", "maximum", "maxLength"}
WORDS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean",
         "null": "null"}


def fail(where, what):
    sys.exit(f"{where}: {what}; teach it to tools/gen/schema_types.py or leave it out")


def comment(text, pad=""):
    """One line where it fits in 100 columns, else a block."""
    if len(pad) + len(text) + 7 <= 100:
        return f"{pad}/** {text} */"
    lines = textwrap.wrap(text, 100 - len(pad) - 3)
    return "\n".join([f"{pad}/**", *(f"{pad} * {line}" for line in lines), f"{pad} */"])


def enum_type(values, indent):
    line = " | ".join(values)
    if len(line) <= 72:
        return line
    pad = "\n" + "  " * (indent + 1)
    return pad + textwrap.fill(line, 96 - len(pad), break_long_words=False).replace("\n", pad)


def object_type(schema, where, indent):
    if schema.get("additionalProperties") is not False:
        fail(where, "an object without additionalProperties: false")
    pad = "  " * (indent + 1)
    lines = ["{"]
    for name, part in schema["properties"].items():
        mark = "" if name in schema["required"] else "?"
        if "description" in part:
            lines.append(comment(part["description"], pad))
        body = type_of(part, f"{where}.{name}", indent + 1)
        gap = "" if body.startswith("\n") else " "
        lines.append(f"{pad}{name}{mark}:{gap}{body};")
    return "\n".join([*lines, "  " * indent + "}"])


def one_type(word, schema, where, indent):
    if word == "object":
        return object_type(schema, where, indent)
    if word == "array":
        inner = type_of(schema["items"], where + "[]", indent)
        return f"{inner}[]" if inner.isidentifier() else f"({inner})[]"
    if word not in WORDS:
        fail(where, f"type {word!r}")
    return WORDS[word]


def type_of(schema, where, indent=0):
    unknown = set(schema) - KEYWORDS
    if unknown:
        fail(where, f"keyword {sorted(unknown)[0]!r}")
    if "$ref" in schema:
        prefix, name = schema["$ref"].rsplit("/", 1)
        if prefix != "#/$defs":
            fail(where, f"reference {schema['$ref']!r}")
        return name
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return enum_type([json.dumps(v) for v in schema["enum"]], indent)
    words = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " | ".join(one_type(w, schema, where, indent) for w in words)


def declare(name, schema, where):
    body = type_of(schema, where)
    text = comment(schema["description"]) + "\n"
    if schema.get("type") == "object":
        return text + f"export interface {name} {body}\n"
    return text + f"export type {name} = {body};\n"


def generate():
    seen = {}
    out = ["/* SPDX-License-Identifier: Apache-2.0\n *\n"
           " * Written by tools/gen/schema_types.py from the JSON schemas beside this file.\n"
           " * Change those, not this.\n */\n"]
    for stem in SCHEMAS:
        file = f"{stem}.schema.json"
        schema = json.loads((FOLDER / file).read_text(encoding="utf-8"))
        for name, part in schema["$defs"].items():
            if seen.setdefault(name, part) != part:
                fail(f"{file} $defs.{name}", "differs from the one in another schema")
            if seen[name] is part:
                out.append(declare(name, part, f"{file} $defs.{name}"))
        out.append(declare(schema["title"], schema, file))
    return "\n".join(out)


def main(argv):
    target = FOLDER / "types.d.ts"
    text = generate()
    if argv == ["--check"]:
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            print("plugin-api/schema/types.d.ts is not what its schemas say: "
                  "run tools/gen/schema_types.py", file=sys.stderr)
            return 1
        return 0
    if argv:
        print(__doc__, file=sys.stderr)
        return 64
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
