#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of tools/ install what is missing, count what they ran and never end green by error.

Method: tools/setup runs with a PATH of its own, in which dpkg-query, apt-get, id and sudo are small
programs that keep a list of packages and write down how they were called. tools/test and .ci/run
run for real, with cmake, ninja and ctest, over a three-line project in a temporary folder.
tools/run starts a program there that prints its arguments.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

HOUSE = pathlib.Path(__file__).resolve().parent.parent.parent
NEEDED = ("bash", "tr", "grep", "env", "cat", "dirname")


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, path, text, mode=0o755):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def run_in(self, *command, **environment):
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False,
                              env={**os.environ, **environment}, timeout=300)


class Setup(Folder):
    def setUp(self):
        super().setUp()
        for name in NEEDED:
            (self.root / name).symlink_to(shutil.which(name))
        here = self.root
        self.write("packages", "")
        self.write("log", "")
        self.write("dpkg-query", f"#!/bin/bash\nfor p in $(cat {here}/packages); do "
                                 "echo \"$p installed\"; done\necho 'git deinstalled'\nexit 1\n")
        self.write("apt-get", f"#!/bin/bash\necho \"apt-get $DEBIAN_FRONTEND $*\" >>{here}/log\n"
                              "[ \"$2\" = update ] && exit 1\nshift 5\n"
                              f"for p in \"$@\"; do echo $p >>{here}/packages; done\n")
        self.become(0)

    def become(self, uid):
        self.write("id", f"#!/bin/bash\necho {uid}\n")

    def setup(self, which):
        return subprocess.run(["/bin/bash", str(HOUSE / "tools/setup"), which], check=False,
                              capture_output=True, text=True, env={"PATH": str(self.root)})

    def test_root_installs_what_is_missing_even_when_update_fails_then_is_quiet(self):
        done = self.setup("run")
        self.assertEqual(done.returncode, 0, done.stderr)
        log = (self.root / "log").read_text()
        self.assertIn("apt-get noninteractive -qq update", log)
        self.assertIn("--no-install-recommends gcc libc6-dev make cmake", log)
        self.assertNotIn("gcovr", log)
        (self.root / "log").write_text("")
        again = self.setup("run")
        self.assertEqual((again.returncode, again.stdout, again.stderr), (0, "", ""))
        self.assertEqual((self.root / "log").read_text(), "")

    def test_only_the_missing_packages_are_asked_for(self):
        self.setup("test")
        (self.root / "log").write_text("")
        self.assertEqual(self.setup("check").returncode, 0)
        self.assertIn("--no-install-recommends clang-format clang-tidy gcovr\n",
                      (self.root / "log").read_text())

    def test_removed_package_with_its_config_left_counts_as_missing(self):
        self.setup("run")
        (self.root / "log").write_text("")
        self.setup("test")
        self.assertIn("--no-install-recommends git ", (self.root / "log").read_text())

    def test_user_with_sudo_goes_through_it(self):
        self.become(1000)
        self.write("sudo", f"#!/bin/bash\necho \"sudo $*\" >>{self.root}/log\nexec \"$@\"\n")
        self.assertEqual(self.setup("run").returncode, 0)
        self.assertIn("sudo env DEBIAN_FRONTEND=noninteractive apt-get",
                      (self.root / "log").read_text())

    def test_user_without_sudo_is_told_the_packages_and_gets_77(self):
        self.become(1000)
        done = self.setup("run")
        self.assertEqual(done.returncode, 77)
        self.assertIn("librocksdb-dev", done.stderr)
        self.assertIn("only root may install them", done.stderr)
        self.assertEqual((self.root / "log").read_text(), "")

    def test_install_that_leaves_something_missing_fails(self):
        self.write("apt-get", "#!/bin/bash\nexit 0\n")
        done = self.setup("run")
        self.assertEqual(done.returncode, 69)
        self.assertIn("still missing: gcc", done.stderr)

    def test_other_system_is_told_so(self):
        (self.root / "dpkg-query").unlink()
        done = self.setup("run")
        self.assertEqual(done.returncode, 77)
        self.assertIn("not a Debian system", done.stderr)

    def test_unknown_set_is_a_usage_error(self):
        self.assertEqual(self.setup("everything").returncode, 64)


class SmallTree(Folder):
    """The tools over a project of three lines."""

    PROJECT = ("cmake_minimum_required(VERSION 3.25)\nproject(p NONE)\nenable_testing()\n"
               "add_custom_target(programs)\n")

    def setUp(self):
        super().setUp()
        shutil.copytree(HOUSE / "tools", self.root / "tools", symlinks=True,
                        ignore=shutil.ignore_patterns("__pycache__", "tenon", "benches"))
        shutil.copytree(HOUSE / ".ci", self.root / ".ci")
        shutil.copy(HOUSE / "CMakePresets.json", self.root)
        self.write("tools/setup", "#!/bin/bash\n")

    def project(self, **tests):
        """A CMake project whose tests exit as given."""
        lines = [f'add_test(NAME {name} COMMAND bash -c "echo because; exit {code}")\n'
                 f"set_tests_properties({name} PROPERTIES SKIP_RETURN_CODE 77)\n"
                 for name, code in tests.items()]
        self.write("CMakeLists.txt", self.PROJECT + "".join(lines))

    def last_line(self, done):
        return done.stdout.splitlines()[-1]


class Commands(SmallTree):
    def test_test_sums_both_presets_and_names_skips(self):
        self.project(a=0, b=0, c=77)
        done = self.run_in("tools/test")
        self.assertEqual(self.last_line(done), "4 passed, 0 failed", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0)
        self.assertIn("skipped: c: because", done.stderr)
        for preset in ("dev", "release"):
            self.assertIn(f"{preset}: 2 passed, 0 failed", done.stdout)

    def test_failed_test_is_counted_and_fails_the_command(self):
        self.project(a=0, b=3)
        done = self.run_in("tools/test", "dev")
        self.assertEqual(self.last_line(done), "1 passed, 1 failed")
        self.assertEqual(done.returncode, 1)

    def test_build_that_fails_is_one_failure(self):
        self.project(a=0)
        text = (self.root / "CMakeLists.txt").read_text()
        self.write("CMakeLists.txt", text + "add_custom_target(x ALL COMMAND false)\n")
        done = self.run_in("tools/test", "dev")
        self.assertEqual(self.last_line(done), "0 passed, 1 failed")
        self.write("CMakeLists.txt", text + "message(FATAL_ERROR no)\n")
        done = self.run_in("tools/test", "dev")
        self.assertEqual(self.last_line(done), "0 passed, 1 failed")
        self.assertIn("could not configure", done.stderr)

    def test_no_test_at_all_is_no_success(self):
        self.project()
        done = self.run_in("tools/test", "release")
        self.assertEqual(self.last_line(done), "0 passed, 1 failed")
        self.assertEqual(done.returncode, 1)

    def test_filter_goes_to_ctest_and_unknown_words_are_refused(self):
        self.project(one=0, two=1)
        done = self.run_in("tools/test", "dev", "-R", "one")
        self.assertEqual(self.last_line(done), "1 passed, 0 failed")
        for command in (("tools/test", "fast"), ("tools/check", "fast")):
            self.assertEqual(self.run_in(*command).returncode, 64)

    def test_check_counts_each_step(self):
        self.project(a=0, b=0)
        self.write("tools/lint", "#!/bin/bash\nexit 1\n")
        done = self.run_in("tools/check", "lint", "tsan")
        self.assertEqual(self.last_line(done), "2 passed, 1 failed", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 1)

    def test_ci_sums_both_commands(self):
        self.write("tools/test", "#!/bin/bash\necho '3 passed, 0 failed'\n")
        for last, code, total, ci_code in (
                ("4 passed, 0 failed", 0, "7 passed, 0 failed", 0),
                ("4 passed, 2 failed", 1, "7 passed, 2 failed", 1),
                ("broken off", 1, "3 passed, 1 failed", 1),
                ("4 passed, 0 failed", 9, "7 passed, 1 failed", 1)):
            with self.subTest(last=last, code=code):
                self.write("tools/check", f"#!/bin/bash\necho \"$*\"\necho '{last}'\nexit {code}\n")
                done = self.run_in(".ci/run")
                self.assertEqual((self.last_line(done), done.returncode), (total, ci_code))
                self.assertIn("--after-test\n", done.stdout)

    def test_bench_refuses_an_unknown_name_and_tells_the_known(self):
        self.write("tools/benches/bench_core.c", "")
        done = self.run_in("tools/bench", "cores")
        self.assertEqual(done.returncode, 66)
        self.assertIn("there are: core and all", done.stderr)
        self.assertEqual(self.run_in("tools/bench").returncode, 64)


class Run(SmallTree):
    def setUp(self):
        super().setUp()
        self.project()
        self.write("build/release/tenon", "#!/bin/bash\nprintf '%s\\n' \"$@\"\n")
        self.write("configs/instruments.yaml", "")
        # the words of a user's run: root would make a system user and leave the tree
        self.write("bin/id", "#!/bin/bash\necho 1000\n")
        self.path = f"{self.root}/bin:{os.environ['PATH']}"

    def tenon(self, *words, **environment):
        done = self.run_in("tools/run", *words, PATH=self.path, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("\n")[:-1]

    def test_each_run_gets_a_fresh_state(self):
        for number in (1, 2, 3):
            words = self.tenon("--headless")
            state = f"{self.root}/build/run/{number}"
            self.assertEqual(words[:2], ["run", "--demo"])
            self.assertEqual(words[words.index("--journal") + 1], f"{state}/journal")
            self.assertEqual(words[words.index("--heads") + 1], f"{state}/heads")
            self.assertEqual(words[-1], "--headless")

    def test_number_after_the_highest_even_with_gaps(self):
        (self.root / "build/run/10").mkdir(parents=True)
        (self.root / "build/run/9").mkdir()
        self.assertIn(f"{self.root}/build/run/11/journal", self.tenon())

    def test_places_of_the_user_win(self):
        words = self.tenon("--journal", "j", "--heads=h", "--plugins", "p")
        self.assertEqual(words.count("--journal"), 1)
        self.assertNotIn("--heads", words)
        self.assertFalse((self.root / "build/run/1").exists())

    def test_arguments_keep_their_words(self):
        self.assertEqual(self.tenon("--data", "a file.csv", "--instrument", "X Y")[-4:],
                         ["--data", "a file.csv", "--instrument", "X Y"])

    def test_socket_lies_with_the_state_only_without_a_runtime_folder(self):
        self.assertIn(f"{self.root}/build/run/1/tenon.sock", self.tenon(XDG_RUNTIME_DIR=""))
        self.assertNotIn("--socket", self.tenon(XDG_RUNTIME_DIR=str(self.root)))


if __name__ == "__main__":
    unittest.main()
