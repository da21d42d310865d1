#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts a ctest JUnit report: prints "PASSED FAILED" and, on stderr, each test that was skipped.

A skipped test is neither passed nor failed, and it is always named. A test that could not be run
counts as failed. A report without a single test, or none at all, is an error (exit 1).
"""
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    passed, failed, skipped = 0, 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status in ("notrun", "disabled") and case.find("skipped") is not None:
            reason = case.find("skipped").get("message", "")
            lines = (case.findtext("system-out") or "").strip().splitlines()
            if "SKIP_RETURN_CODE" in reason:
                skipped.append((case.get("name"), lines[-1] if lines else "it gave no reason"))
            else:
                failed += 1
                print(f"not run: {case.get('name')}: {reason}", file=sys.stderr)
        else:
            failed += 1
    return passed, failed, skipped


def main():
    try:
        passed, failed, skipped = count(sys.argv[1])
    except (OSError, ElementTree.ParseError) as error:
        print(f"no test report: {error}; did ctest start?", file=sys.stderr)
        return 1
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}", file=sys.stderr)
    if passed + failed == 0:
        print(f"{sys.argv[1]} names no test that ran: was the filter too narrow?", file=sys.stderr)
        return 1
    print(passed, failed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
