#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/lint finds what it says it finds, and nothing in a good tree.

Method: a small clean tree is written to a temporary folder; each test spoils it in one way and
expects exactly that rule to speak, at that file and line. The symbol rules get real objects, made
with gcc. The commit rule gets a real git repository.
"""
import pathlib
import subprocess
import tempfile
import unittest

HOUSE = pathlib.Path(__file__).resolve().parent.parent.parent
SPDX = "/* SPDX-License-Identifier: Apache-2.0\n */\n"
GOOD = {
    "CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                      "tenon_folder(tbl)\ntenon_folder(base USES tbl LINKS PkgConfig::SSL)\n"
                      "tenon_folder(core USES base tbl)\n"
                      "tenon_folder(flow USES core base tbl)\n",
    "host/base/README.md": "# base\n",
    "host/base/num.c": SPDX + '#include "base/num.h"\n#include <openssl/evp.h>\n\n'
                       "int num_add(int a, int b)\n{\n    return a + b;\n}\n",
    "host/base/num.h": SPDX + "int num_add(int a, int b);\n",
    "host/core/README.md": "# core\n",
    "host/core/step.h": SPDX + '#include <stdint.h>\n#include "base/num.h"\n',
    "host/core/book.h": SPDX + "enum book_side { BOOK_SIDE_UNSET = 0, BOOK_BUY };\n",
    "host/core/book.c": SPDX + '#include "core/book.h"\n#include "tenon/abi.h"\n',
    "host/flow/README.md": "# flow\n",
    "host/flow/flow.c": SPDX + '#include "core/step.h"\n',
    "plugin-api/include/tenon/abi.h": SPDX + "#include <stdint.h>\nstruct tn_x {\n    int a;\n};\n",
    "plugins/sma/README.md": "# sma\n",
    "plugins/sma/sma.c": SPDX + '#include "tenon/abi.h"\n#include "maths.h"\n#include <math.h>\n',
    "plugins/sma/maths.h": SPDX,
    "tests/unit/base/num_test.c": SPDX + '#include "base/num_priv.h"\n',
    "tools/tenon/main.c": SPDX + '#include "core/step.h"\n#include "base/num.h"\n',
}


class LintCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path, text in GOOD.items():
            self.write(path, text)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def lint(self, *options):
        done = subprocess.run([str(HOUSE / "tools/lint"), "--root", str(self.root), *options],
                              capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        findings = [line for line in done.stdout.splitlines() if ": warning: " not in line]
        self.assertEqual(done.returncode, 1 if findings else 0)
        return done.stdout.splitlines()

    def expect(self, where, rule, words, *options):
        """Exactly one finding: where, by which rule, with which words."""
        lines = self.lint(*options)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(f"{where}: {rule}: "), lines[0])
        self.assertIn(words, lines[0])


class TextRules(LintCase):
    def test_good_tree_has_no_finding(self):
        self.assertEqual(self.lint(), [])

    def test_long_file_is_found_and_a_longish_one_is_warned_of(self):
        self.write("host/core/book.h", SPDX + "int book_x;\n" * 699)
        self.expect("host/core/book.h:701", "walls", "warning: 701 lines")
        self.write("host/core/book.h", SPDX + "int book_x;\n" * 999)
        self.expect("host/core/book.h:1001", "walls", "1001 lines; the wall is 1000")

    def test_function_of_70_lines_passes_and_of_71_is_found(self):
        for lines, count in ((67, 0), (68, 1)):
            self.write("host/core/book.c", SPDX + "int book_a(struct book *b)\n{\n"
                       + "    b->x += '}';\n" * lines + "}\n")
            self.assertEqual(len(self.lint()), count)
        self.expect("host/core/book.c:3", "walls", "book_a has 71 lines")

    def test_python_function_over_70_lines_is_found(self):
        self.write("tools/x.py", "# SPDX-License-Identifier: Apache-2.0\ndef f():\n"
                   + "    pass\n" * 70)
        self.expect("tools/x.py:2", "walls", "f has 71 lines")

    def test_long_line_is_found(self):
        self.write("host/core/book.c", SPDX + "/* " + "x" * 95 + " */\n")
        self.expect("host/core/book.c:3", "walls", "101 columns")

    def test_tab_and_trailing_space_are_found(self):
        self.write("host/core/book.c", SPDX + "int a; \n")
        self.expect("host/core/book.c:3", "blanks", "white space at the end")
        self.write("host/core/book.c", SPDX + "\tint a;\n")
        self.expect("host/core/book.c:3", "blanks", "a tab")

    def test_missing_licence_line_is_found_in_source_and_script(self):
        self.write("host/core/book.c", "int book_a;\n")
        self.expect("host/core/book.c:1", "licence", "SPDX")
        self.write("host/core/book.c", SPDX)
        self.write("tools/go", "#!/bin/sh\necho\n")
        self.expect("tools/go:1", "licence", "`# SPDX")

    def test_unfinished_word_is_found(self):
        self.write("host/core/README.md", "# core\nTO" "DO: more\n")
        self.expect("host/core/README.md:2", "unfinished", "finish it")

    def test_missing_or_long_readme_is_found(self):
        (self.root / "plugins/sma/README.md").unlink()
        self.expect("plugins/sma/README.md:1", "readme", "missing")
        self.write("plugins/sma/README.md", "x\n" * 60)
        self.write("host/core/README.md", "x\n" * 41)
        self.expect("host/core/README.md:41", "readme", "41 lines")

    def test_sleep_in_a_test_is_found_and_in_a_comment_is_not(self):
        for path, text, line in (
                ("tests/unit/base/num_test.c", SPDX
                 + "/* no usl" "eep(1) */\nint x = usl" "eep(1);\n",
                 4),
                ("tests/scenario/a.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"
                 "# sl" "eep 1\nwhile true; do sl" "eep 1; done\n", 4),
                ("tests/scenario/a_test.py", "# SPDX-License-Identifier: Apache-2.0\n"
                 "time.sl" "eep(1)\n", 2)):
            with self.subTest(path):
                self.write(path, text)
                self.expect(f"{path}:{line}", "sleeps", "wait for the event")
                (self.root / path).unlink()

    def test_coverage_exclusion_is_found(self):
        self.write("host/base/num.c", SPDX + "/* GCOVR_EX" "CL_LINE */\n")
        self.expect("host/base/num.c:3", "uncovered", "exclusion")


class IncludeRule(LintCase):
    def expect_refused(self, path, line, words):
        self.write(path, SPDX + line + "\n")
        self.expect(f"{path}:3", "include", words)

    def test_folder_sees_what_it_uses_and_no_more(self):
        self.expect_refused("host/core/book.c", '#include "flow/flow.h"', "may see base, core")

    def test_core_is_reached_through_step_only(self):
        self.expect_refused("host/flow/flow.c", '#include "core/book.h"', "core/step.h")

    def test_main_takes_public_headers_only(self):
        self.expect_refused("tools/tenon/main.c", '#include "core/book.h"', "core/step.h")
        self.expect_refused("tools/tenon/main.c", '#include "base/num_priv.h"', "public header")

    def test_test_door_of_another_folder_is_refused(self):
        self.expect_refused("host/flow/flow.c", '#include "base/num_priv.h"', "test door")

    def test_library_belongs_to_the_folders_that_link_it(self):
        self.expect_refused("host/flow/flow.c", "#include <openssl/evp.h>", "does not link")

    def test_core_takes_no_io_header(self):
        self.expect_refused("host/core/book.c", "#include <stdio.h>", "no I/O")

    def test_bare_name_is_refused_in_host(self):
        self.expect_refused("host/core/book.c", '#include "book.h"', "write the folder")

    def test_abi_header_sees_itself_and_plain_c_headers(self):
        self.expect_refused("plugin-api/include/tenon/abi.h", "#include <stdio.h>", "ABI header")
        self.expect_refused("plugin-api/include/tenon/abi.h", '#include "base/num.h"',
                            "ABI header")

    def test_plugin_sees_neither_host_nor_io(self):
        self.expect_refused("plugins/sma/sma.c", '#include "base/num.h"', "a plugin sees")
        self.expect_refused("plugins/sma/sma.c", "#include <stdio.h>", "a plugin sees")

    def test_include_in_a_comment_is_none(self):
        self.write("host/core/book.c", SPDX + '/*\n#include "flow/flow.h"\n*/\n')
        self.assertEqual(self.lint(), [])

    def test_folder_without_a_cmake_line_is_found(self):
        self.write("host/new/README.md", "# new\n")
        self.expect_refused("host/new/new.c", "#include <stdint.h>", "no tenon_folder line")


class CRules(LintCase):
    def expect_line(self, line, rule, words, path="host/core/book.c"):
        self.write(path, SPDX + line + "\n")
        self.expect(f"{path}:3", rule, words)

    def test_tn_name_outside_the_plugin_api_is_found(self):
        self.expect_line("struct tn_y {\n    int a;\n};", "names", "tn_y")
        self.expect_line("#define TN_Y 1", "names", "TN_Y")
        self.expect_line("int tn_y(void)\n{\n    return 1;\n}", "names", "tn_y")
        self.write("host/core/book.c", SPDX + "int book_a(struct tn_y *y);\n")
        self.assertEqual(self.lint(), [])

    def test_type_names_against_the_house_are_found(self):
        self.expect_line("typedef struct book book_x;", "names", "typedef'd")
        self.expect_line("struct book_t {\n    int a;\n};", "names", "_t is")
        self.expect_line("typedef void (*book_hook)(void *arg);", "names", "_fn")
        self.write("host/core/book.c", SPDX + "typedef void (*book_hook_fn)(void *arg);\n")
        self.assertEqual(self.lint(), [])

    def test_shared_magic_is_found_and_a_restated_one_is_not(self):
        self.write("host/core/step.h", SPDX + "#define STEP_MAGIC 0x11\n")
        self.write("host/base/num.h", SPDX + "enum { NUM_MAGIC = 0x12, STEP_MAGIC = 0x11 };\n")
        self.assertEqual(self.lint(), [])
        self.write("host/flow/flow.c", SPDX + "#define FLOW_MAGIC 0x11u\n")
        self.expect("host/flow/flow.c:3", "magics", "STEP_MAGIC")

    def test_enum_with_a_meaning_for_zero_is_found(self):
        self.expect_line("enum book_side { BOOK_BUY, BOOK_SELL };", "enums", "BOOK_BUY")
        self.write("host/core/book.c", SPDX + "enum { BOOK_MAX = 4 };\nenum b { B_ONE = 1 };\n")
        self.assertEqual(self.lint(), [])

    def test_try_in_a_loop_is_found_in_each_form(self):
        for body, line in (("for (;;) {\n        if (a) {\n            TRY(b());\n", 7),
                           ("while (a)\n        if (b)\n            TRY(c());\n", 7),
                           ("do {\n        TRY(c());\n    } while (a);\n", 6)):
            with self.subTest(body):
                closing = "        }\n    }\n" if "{\n        if" in body else ""
                self.write("host/core/book.c", SPDX + "struct result book_a(int a)\n{\n    "
                           + body + closing + "    return OK;\n}\n")
                self.expect(f"host/core/book.c:{line}", "guards", "in a loop")

    def test_try_in_an_expression_is_found_and_after_a_loop_is_not(self):
        self.write("host/core/book.c", SPDX + "struct result book_a(int a)\n{\n"
                   "    if (a && TRY(b()))\n        return OK;\n    return OK;\n}\n")
        self.expect("host/core/book.c:5", "guards", "expression")
        self.write("host/core/book.c", SPDX + "struct result book_a(int a)\n{\n    do {\n"
                   "        a++;\n    } while (a);\n    for (;;) {\n        a++;\n    }\n"
                   "    if (a)\n        TRY(b());\n    TRY(c());\n    return OK;\n}\n")
        self.assertEqual(self.lint(), [])

    def test_float_in_core_is_found_and_elsewhere_is_not(self):
        self.expect_line("static double price; /* a double */", "floats", "integers")
        self.write("host/core/book.c", SPDX)
        self.write("host/flow/flow.c", SPDX + "static double price;\n")
        self.assertEqual(self.lint(), [])


class BuildRules(LintCase):
    def setUp(self):
        super().setUp()
        self.build = self.root / "build/release"
        (self.build / "plugins").mkdir(parents=True)
        self.archive("tbl", "int fact_x(int a) { return a; }")
        self.archive("base", "#include <stdlib.h>\n#include <time.h>\nint fact_x(int a);\n"
                     "int num_add(int a) { return fact_x(a); }\n"
                     "void *arena_map(int n) { return malloc(n); }\n"
                     "static int __attribute__((noinline)) now(void) { return (int)time(0); }\n"
                     "int num_now(int a) { return a + now(); }\n"
                     "int rng_next(int a) { return a * 7; }\n"
                     "void must_fail(void) { abort(); }\n")

    def archive(self, folder, code):
        """A real static library from a few lines of C."""
        source = self.build / f"{folder}.c"
        source.write_text(code + "\n")
        subprocess.run(["gcc", "-O2", "-fPIC", "-c", str(source), "-o",
                        str(source.with_suffix(".o"))], check=True)
        library = self.build / f"libtenon_{folder}.a"
        library.unlink(missing_ok=True)
        subprocess.run(["ar", "cr", str(library), str(source.with_suffix(".o"))], check=True)

    def core(self, code):
        self.archive("core", code)
        return self.lint("--build", str(self.build), "--rule", "symbols")

    def expect_core(self, code, words):
        lines = self.core(code)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("symbols: core", lines[0])
        self.assertIn(words, lines[0])

    def test_pure_core_passes(self):
        self.assertEqual(self.core(
            "#include <string.h>\nint num_add(int);\nvoid must_fail(void);\n"
            "static const char *const names[] = {\"a\"};\nextern const char *const *book_names;\n"
            "const char *const *book_names_of(void) { return names; }\n"
            "int book_a(char *a) { if (!a) must_fail(); memset(a, 0, 400); "
            "return num_add((int)strlen(a)); }"), [])

    def test_heap_in_core_is_found(self):
        self.expect_core("#include <stdlib.h>\nvoid *book_a(void) { return malloc(4); }",
                         "malloc")

    def test_heap_behind_base_is_found(self):
        self.expect_core("void *arena_map(int); void *book_a(void) { return arena_map(4); }",
                         "arena_map -> malloc")

    def test_clock_behind_a_static_of_base_is_found(self):
        self.expect_core("int num_now(int); int book_a(void) { return num_now(4) + 1; }", "time")

    def test_chance_in_core_is_found(self):
        self.expect_core("int rng_next(int); int book_a(void) { return rng_next(4) + 1; }",
                         "rng_next")

    def test_variable_in_core_is_found(self):
        lines = self.core("static int count; int book_a(void) { return ++count; }")
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("count is a variable", lines[0])

    def test_core_that_was_not_built_is_found(self):
        lines = self.lint("--build", str(self.build), "--rule", "symbols")
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("not built", lines[0])

    def test_plugin_exports_one_symbol(self):
        source, library = self.build / "p.c", self.build / "plugins/p.so"
        for code, count in (("const int tn_entry = 1;", 0),
                            ("const int tn_entry = 1; int other;", 1), ("static int a;", 1)):
            source.write_text(code + "\n")
            subprocess.run(["gcc", "-shared", "-nostartfiles", "-fPIC", str(source), "-o",
                            str(library)], check=True)
            lines = self.lint("--build", str(self.build), "--rule", "exports")
            self.assertEqual(len(lines), count, (code, lines))


class CommitRule(LintCase):
    def commit(self, message):
        self.write("host/core/book.c", SPDX + f"/* {message!r} */\n"[:90])
        subprocess.run(["git", "-C", str(self.root), "add", "-A"], check=True)
        subprocess.run(["git", "-C", str(self.root), "-c", "user.name=a", "-c", "user.email=a@b",
                        "commit", "-q", "--no-verify", "-m", message], check=True)
        return self.lint("--commits", "HEAD~1..HEAD")

    def test_message_form(self):
        subprocess.run(["git", "-C", str(self.root), "init", "-q"], check=True)
        subprocess.run(["git", "-C", str(self.root), "-c", "user.name=a", "-c", "user.email=a@b",
                        "commit", "-q", "--allow-empty", "-m", "begin"], check=True)
        self.assertEqual(self.commit("core: best prices\n\nWhy. Proven by book_test."), [])
        for message, words in (("best prices\n\nWhy.", "`folder: what changes`"),
                               ("flow: best prices\n\nWhy.", "'flow' names nothing"),
                               ("core: best prices", "no body"),
                               ("core: " + "x" * 55 + "\n\nWhy.", "61 characters")):
            lines = self.commit(message)
            self.assertEqual(len(lines), 1, lines)
            self.assertIn(words, lines[0])


if __name__ == "__main__":
    unittest.main()
