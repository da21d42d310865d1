#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One source, three readers: the record schemas, their samples and the TypeScript types agree.

Method: the samples that the C writer is held to (tests/fixtures/schema) are validated with
python3-jsonschema; each is then spoiled in every place, one at a time, and must be refused. The
committed types must be what the generator writes, and the TypeScript compiler must take the
samples as they are and refuse spoiled ones. What is not installed is skipped with its reason.
"""
import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("TENON_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
SCHEMA = ROOT / "plugin-api" / "schema"
TYPES = {"signal-v1": "SignalV1", "execution-report-v1": "ExecutionReportV1",
         "denial-v1": "DenialV1"}
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "contract"))


def sample(stem):
    return json.loads((ROOT / "tests" / "fixtures" / "schema" / f"{stem}.json").read_text())


def places(value, path=()):
    """Every member of the record, by path."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield path + (key,)
            yield from places(part, path + (key,))
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from places(part, path + (i,))


def spoiled(record, path, how):
    bad = copy.deepcopy(record)
    at = bad
    for key in path[:-1]:
        at = at[key]
    how(at, path[-1])
    return bad


def drop(at, key):
    del at[key]


def mistype(at, key):
    at[key] = {"no": "such value"}


def add(at, key):
    at[key + "_more"] = 1


class Schemas(unittest.TestCase):
    def validator(self):
        try:
            import schema_validate
        except SystemExit:
            self.skipTest("python3-jsonschema is not installed")
        return schema_validate.complaints

    def each(self):
        for stem in TYPES:
            schema = json.loads((SCHEMA / f"{stem}.schema.json").read_text())
            yield stem, schema, sample(stem)

    def test_samples_are_valid(self):
        complaints = self.validator()
        for stem, schema, record in self.each():
            self.assertEqual(complaints(schema, record), [], stem)

    def test_each_spoiled_member_is_refused(self):
        complaints = self.validator()
        optional = {("advice", k) for k in ("target", "limit_offset", "stop_distance", "ttl_ns")}
        count = 0
        for stem, schema, record in self.each():
            for path in places(record):
                for how in (drop, mistype, add):
                    if how is drop and path in optional:
                        continue
                    with self.subTest(stem=stem, path=path, how=how.__name__):
                        self.assertNotEqual(complaints(schema, spoiled(record, path, how)), [])
                    count += 1
        self.assertGreater(count, 300)

    def test_numbers_that_are_not_exact_are_refused(self):
        complaints = self.validator()
        schema = json.loads((SCHEMA / "signal-v1.schema.json").read_text())
        for text in ("1.0", "01", "-0", "1e3", "+1", ".5", "1.", "", " 1", "0.10", "-0.0"):
            bad = sample("signal-v1")
            bad["advice"]["target"] = text
            with self.subTest(text=text):
                self.assertNotEqual(complaints(schema, bad), [])
        for text in ("0", "-0.5", "0.05", "10", "-1234.000001"):
            good = sample("signal-v1")
            good["advice"]["target"] = text
            with self.subTest(text=text):
                self.assertEqual(complaints(schema, good), [])

    def test_sums_that_do_not_match_are_refused(self):
        complaints = self.validator()
        schema = json.loads((SCHEMA / "signal-v1.schema.json").read_text())
        bad = sample("signal-v1")
        bad["reasons"][0]["contribution"] = "51.500001"
        self.assertEqual(complaints(schema, bad), ["the contributions do not sum to the score"])
        bad = sample("signal-v1")
        bad["side"] = "short"
        self.assertEqual(complaints(schema, bad), ["score and side do not agree"])

    def test_types_are_up_to_date(self):
        done = subprocess.run([sys.executable, ROOT / "tools" / "gen" / "schema_types.py",
                               "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def compile(self, folder, records):
        text = 'import * as tenon from "./types";\n'
        for i, (stem, record) in enumerate(records):
            text += f"const r{i}: tenon.{TYPES[stem]} = {json.dumps(record, indent=2)};\n"
            text += f"export const seq{i}: string = r{i}.seq;\n"
        (pathlib.Path(folder) / "sample.ts").write_text(text)
        done = subprocess.run(["tsc", "--noEmit", "--strict", "sample.ts"], capture_output=True,
                              text=True, cwd=folder)
        return done.returncode, done.stdout

    def test_typescript_takes_the_samples_and_no_others(self):
        if shutil.which("tsc") is None:
            self.skipTest("tsc is not installed (node-typescript)")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(SCHEMA / "types.d.ts", folder)
            code, text = self.compile(folder, [(stem, sample(stem)) for stem in TYPES])
            self.assertEqual(code, 0, text)
            signal, report, denial = (sample(stem) for stem in TYPES)
            signal["side"] = "up"
            report["last_qty"] = 0.25
            del denial["trace_id"]
            code, text = self.compile(folder, list(zip(TYPES, (signal, report, denial))))
            self.assertNotEqual(code, 0)
            for word in ('"up"', "'number'", "trace_id"):
                self.assertIn(word, text)
            self.assertEqual(text.count("error TS"), 3, text)


class Goldens(unittest.TestCase):
    def test_indicator_table_is_what_its_script_computes(self):
        done = subprocess.run([sys.executable, ROOT / "tests" / "contract" /
                               "golden_indicators.py", "--check",
                               ROOT / "tests" / "fixtures" / "indicators" / "golden.csv"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
