#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""schema_validate.py SCHEMA FILE...: validates JSON files by a schema, with python3-jsonschema.

Exit 0 valid, 1 not (each complaint on stderr), 77 when python3-jsonschema is not installed.
Beside the schema it checks what JSON Schema cannot say: a signal's contributions sum to its score
exactly, its sign agrees with its side, and a denial's lists agree with its rules.
"""
import json
import sys
from decimal import Decimal

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)


def sums(record):
    kind = record["schema"]
    if kind == "tenon/signal/1":
        score = Decimal(record["score"])
        if sum(Decimal(r["contribution"]) for r in record["reasons"]) != score:
            yield "the contributions do not sum to the score"
        sign = {"long": score > 0, "short": score < 0, "flat": score == 0}
        if not sign[record["side"]] or abs(score) > 1:
            yield "score and side do not agree"
    if kind == "tenon/denial/1":
        for key, word in (("denied_by", "deny"), ("cut_by", "cut")):
            if record[key] != [r["code"] for r in record["rules"] if r["result"] == word]:
                yield f"{key} does not agree with the rules"
        if record["approved"] == bool(record["denied_by"]):
            yield "approved does not agree with denied_by"


def complaints(schema, record):
    cls = jsonschema.Draft202012Validator
    found = [f"{e.json_path}: {e.message}" for e in cls(schema).iter_errors(record)]
    return found or list(sums(record))


def main(argv):
    with open(argv[0], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    bad = 0
    for path in argv[1:]:
        with open(path, encoding="utf-8") as f:
            record = json.load(f)
        for complaint in complaints(schema, record):
            print(f"{path}: {complaint}", file=sys.stderr)
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
