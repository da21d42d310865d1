# SPDX-License-Identifier: Apache-2.0
"""The form of commit messages: `folder: subject` of at most 60 characters, an empty line, a body
that says why and how it was proven. The prefix names something that the commit changes."""
import re
import subprocess

from .tree import Finding

SUBJECT_MAX = 60


def _git(root, *command):
    return subprocess.run(["git", "-C", str(root), *command], capture_output=True, text=True,
                          check=True).stdout


def problems(message, paths):
    """What is wrong with one message, given the paths the commit changes."""
    lines = message.rstrip("\n").split("\n")
    subject = lines[0]
    if len(subject) > SUBJECT_MAX:
        yield f"the subject has {len(subject)} characters; it ends at {SUBJECT_MAX}"
    match = re.match(r"^([\w./+-]+): \S", subject)
    if not match:
        yield "the subject is `folder: what changes`"
    else:
        words = set()
        for path in paths:
            parts = path.split("/")
            words.update(parts, {re.sub(r"\.\w+$", "", parts[-1]), "/".join(parts[:2])})
        for prefix in match.group(1).split("+"):
            if prefix not in words and prefix != "house":
                yield f"the prefix '{prefix}' names nothing that the commit changes"
    if len(lines) > 1 and lines[1] != "":
        yield "the line after the subject is empty"
    if len(lines) < 3:
        yield "no body: say why, and how it was proven"


def check(root, commits):
    for commit in _git(root, "rev-list", "--no-merges", "--reverse", commits).split():
        message = _git(root, "show", "-s", "--format=%B", commit)
        paths = _git(root, "show", "--name-only", "--format=", commit).split("\n")
        for problem in problems(message, [path for path in paths if path]):
            yield Finding(commit[:12], 1, "commits", problem)
