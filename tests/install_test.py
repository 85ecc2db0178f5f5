#!/usr/bin/env python3
"""The build is installed into a scratch folder, and a program is built against it and run, each way that the README
names; so is the application of docs/getting-started.md, as it stands there. BUILD is the build directory; CXX may name
the compiler. What a build has not made is skipped and named.
"""

import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ["BUILD"])
CXX = os.environ.get("CXX", "c++")
EXAMPLE = ROOT / "examples" / "tasks.cpp"
EXAMPLE_IN_C = ROOT / "examples" / "tasks.c"
CC = "cc"
STRICT = ["-Wall", "-Wextra", "-Werror"]  # Neither the examples nor the headers give a warning.
PATIENCE = 600

SCRATCH = None  # A folder of this run.
PREFIX = None  # In it, as if this were /usr/local.


def run(*command, **options):
    """What a command says, which has to end well."""
    words = [str(word) for word in command]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)
    if ran.returncode != 0:
        raise AssertionError(f"{' '.join(words)} ended with {ran.returncode}:\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


def setUpModule():
    global SCRATCH, PREFIX
    SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="freshet-install-"))
    unittest.addModuleCleanup(shutil.rmtree, SCRATCH, ignore_errors=True)
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", SCRATCH / "root")
    PREFIX = next((SCRATCH / "root").rglob("include/freshet")).parent.parent


def shared_library():
    return next(PREFIX.rglob("libfreshet.so"), None)


def static_library():
    return next(PREFIX.rglob("libfreshet.a"), None)


def needs(find, what):
    """Skips a test where the build did not make what it is about."""

    def decorate(test):
        def checked(self):
            if find() is None:
                self.skipTest(f"this build has no {what}: configure it with -Ddefault_library=both")
            test(self)

        return checked

    return decorate


def pkg_config(*words):
    place = next(PREFIX.rglob("freshet.pc")).parent
    return run("pkg-config", f"--define-variable=prefix={PREFIX}", *words, "freshet",
               env=os.environ | {"PKG_CONFIG_PATH": str(place)}).split()


class InstallTest(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))

    def folder(self, name, files):
        place = self.place / name
        place.mkdir()
        shutil.copy(EXAMPLE, place / "main.cpp")
        shutil.copy(EXAMPLE_IN_C, place / "main.c")
        for file, text in files.items():
            (place / file).write_text(text, encoding="utf-8")
        return place

    def check_runs(self, program, library=None):
        environment = dict(os.environ)
        if library:
            environment["LD_LIBRARY_PATH"] = str(library.parent)
        self.assertEqual(run(program, self.place / "tasks.db", env=environment), "1 open, fresh\n")

    def libraries_of(self, program):
        return re.findall(r"\(NEEDED\).*\[(.*?)\]", run("readelf", "-d", program))


class LibraryTest(InstallTest):
    @needs(shared_library, "shared library")
    def test_pkg_config_names_the_shared_library_and_nothing_else(self):
        program = self.place / "program"
        flags = pkg_config("--cflags", "--libs")
        self.assertEqual([flag for flag in flags if flag.startswith("-l")], ["-lfreshet"])
        run(CXX, "-std=c++20", *STRICT, EXAMPLE, "-o", program, *flags)
        self.assertIn("libfreshet.so.0", self.libraries_of(program))
        self.check_runs(program, shared_library())

    @needs(shared_library, "shared library")
    def test_a_program_in_c_is_linked_with_the_shared_library_by_a_compiler_for_c(self):
        program = self.place / "program"
        run(CC, "-std=c11", "-pedantic", *STRICT, EXAMPLE_IN_C, "-o", program, *pkg_config("--cflags", "--libs"))
        self.assertIn("libfreshet.so.0", self.libraries_of(program))
        self.check_runs(program, shared_library())

    @needs(static_library, "static library")
    def test_pkg_config_names_all_that_the_static_library_needs(self):
        flags = pkg_config("--cflags", "--static", "--libs")
        # Told for each library, since only this one has to be static.
        flags = [f"-l:{static_library().name}" if flag == "-lfreshet" else flag for flag in flags]
        for compiler, standard, example in [(CXX, "c++20", EXAMPLE), (CC, "c11", EXAMPLE_IN_C)]:
            program = self.place / f"program-{standard}"
            run(compiler, f"-std={standard}", example, "-o", program, *flags)
            self.assertNotIn("libfreshet.so.0", self.libraries_of(program))
            self.check_runs(program)
            (self.place / "tasks.db").unlink()

    def cmake(self, prefix, language="CXX", source="main.cpp"):
        project = self.folder("project", {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\n"
                                          f"project(mine {language})\n"
                                          "find_package(freshet 0.1 REQUIRED)\n"
                                          f"add_executable(mine {source})\n"
                                          "target_link_libraries(mine PRIVATE freshet::freshet)\n"})
        build = self.place / "build"
        run("cmake", "-G", "Ninja", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_CXX_COMPILER={CXX}")
        run("cmake", "--build", build)
        return build / "mine"

    @unittest.skipUnless(shutil.which("cmake"), "there is no cmake: tools/setup installs it")
    @needs(shared_library, "shared library")
    def test_cmake_finds_the_shared_library(self):
        program = self.cmake(PREFIX)
        self.assertIn("libfreshet.so.0", self.libraries_of(program))
        self.check_runs(program)

    @unittest.skipUnless(shutil.which("cmake"), "there is no cmake: tools/setup installs it")
    @needs(static_library, "static library")
    def test_cmake_finds_the_static_library_where_there_is_no_other(self):
        moved = self.place / "moved"
        shutil.copytree(PREFIX, moved, ignore=shutil.ignore_patterns("*.so*", "bin"))
        program = self.cmake(moved)
        self.assertNotIn("libfreshet.so.0", self.libraries_of(program))
        self.check_runs(program)

    @unittest.skipUnless(shutil.which("cmake"), "there is no cmake: tools/setup installs it")
    @needs(static_library, "static library")
    def test_cmake_links_the_static_library_to_a_project_in_c(self):
        moved = self.place / "moved"
        shutil.copytree(PREFIX, moved, ignore=shutil.ignore_patterns("*.so*", "bin"))
        program = self.cmake(moved, "C", "main.c")
        self.assertNotIn("libfreshet.so.0", self.libraries_of(program))
        self.check_runs(program)

    @unittest.skipUnless(shutil.which("cmake"), "there is no cmake: tools/setup installs it")
    def test_cmake_refuses_a_version_that_this_is_not(self):
        for wanted, found in [("0.1", True), ("0", True), ("0.2", False), ("1.0", False), ("0.0.9", False)]:
            script = self.place / "version.cmake"
            version = next(PREFIX.rglob("freshet-config-version.cmake"))
            script.write_text(f'set(PACKAGE_FIND_VERSION "{wanted}")\ninclude("{version}")\n'
                              'message("${PACKAGE_VERSION_COMPATIBLE}")\n', encoding="utf-8")
            said = subprocess.run(["cmake", "-P", script], capture_output=True, text=True, timeout=60, check=True)
            self.assertEqual(said.stderr.strip() == "TRUE", found, wanted)

    def test_a_meson_project_has_it_as_a_subproject(self):
        project = self.folder("project", {"meson.build": "project('mine', 'c')\n"
                                          "freshet = dependency('freshet', fallback: 'freshet',\n"
                                          "  default_options: ['cli=disabled', 'tests=disabled'])\n"
                                          "executable('mine_in_c', 'main.c', dependencies: freshet)\n"
                                          "add_languages('cpp', native: false)\n"
                                          "executable('mine', 'main.cpp', dependencies: freshet,\n"
                                          "  override_options: ['cpp_std=c++20'])\n"})
        copy = project / "subprojects" / "freshet"
        copy.mkdir(parents=True)
        for part in ["include", "src", "meson.build", "meson_options.txt"]:
            place = ROOT / part
            (shutil.copytree if place.is_dir() else shutil.copy)(place, copy / part)
        # Without optimisation and debugging information: this compiles the whole engine once more.
        run("meson", "setup", "--buildtype=plain", project / "build", project, env=os.environ | {"CXX": CXX})
        run("ninja", "-C", project / "build", "-j", "2", "mine", "mine_in_c")
        self.check_runs(project / "build" / "mine")
        (self.place / "tasks.db").unlink()
        self.check_runs(project / "build" / "mine_in_c")

    @needs(shared_library, "shared library")
    def test_the_shared_library_exports_what_the_headers_declare_and_nothing_else(self):
        declared = set()
        for header in (PREFIX / "include" / "freshet").glob("*.h*"):
            declared |= set(re.findall(r"\w+", header.read_text(encoding="utf-8")))
        named = re.compile(r"(?:(?:typeinfo|typeinfo name|vtable) for )?freshet::(\w+)((?:::\w+)?)|(freshet_\w+)$")
        names = [line[19:] for line in run("nm", "-DC", "--defined-only", shared_library()).splitlines()]
        for name in names:
            found = named.match(name)
            self.assertTrue(found and (found[1] or found[3]) in declared, name)
            self.assertNotIn(found[2], ["::Impl", "::State", "::Statement"], name)
        self.assertTrue(any(name.startswith("freshet::Store::read(") for name in names), names)
        in_c = (PREFIX / "include" / "freshet" / "freshet.h").read_text(encoding="utf-8")
        functions = set(re.findall(r"^[\w *]*?\b(freshet_\w+)\(", re.sub("//.*", "", in_c), re.M))
        self.assertGreater(len(functions), 50)
        self.assertEqual(functions - set(names), set(), "declared in C, and not to be had")

    @needs(shared_library, "shared library")
    def test_the_shared_library_leaves_to_the_process_what_there_is_but_once(self):
        """No output, signals, way out, environment or state of its own; an assertion alone says why it ends.

        But for one list: what a child of fork() has to close is known to the process, not to a store.
        """
        said = run("nm", "-D", "--undefined-only", shared_library()).splitlines()
        used = {line.split()[-1].split("@")[0] for line in said}
        self.assertTrue({"abort", "fprintf"} <= used, "what assertions use")
        for name in ["signal", "sigaction", "sigprocmask", "pthread_sigmask", "exit", "_exit", "quick_exit", "fork",
                     "setenv", "putenv", "chdir", "umask", "setlocale", "printf", "puts",
                     *("_ZSt4cout", "_ZSt4cerr", "_ZSt4clog")]:
            self.assertNotIn(name, used)
        symbols = run("nm", "-C", shared_library()).splitlines()
        self.assertEqual([line for line in symbols if re.search(r" [bB] .*freshet", line)
                          and "(anonymous namespace)::registry()::own" not in line], [])

    def test_what_is_installed_names_no_folder_of_the_build(self):
        for file in [next(PREFIX.rglob("freshet.pc")), *PREFIX.rglob("*.cmake")]:
            text = file.read_text(encoding="utf-8")
            for place in [str(ROOT), str(BUILD)]:
                self.assertNotIn(place, text, file)


class GettingStartedTest(InstallTest):
    PAGE = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")

    def setUp(self):
        super().setUp()
        library = shared_library()
        if library is None:
            self.skipTest("this build has no shared library: configure it with -Ddefault_library=both")
        for name, text in re.findall(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```", self.PAGE, re.M | re.S):
            (self.place / name).write_text(text, encoding="utf-8")
        # The prefix is that of an installation for good.
        description = next(PREFIX.rglob("freshet.pc")).read_text(encoding="utf-8")
        (self.place / "freshet.pc").write_text(re.sub("^prefix=.*", f"prefix={PREFIX}", description, flags=re.M),
                                               encoding="utf-8")
        self.environment = {**os.environ, "CXX": CXX, "PKG_CONFIG_PATH": str(self.place),
                            "CMAKE_PREFIX_PATH": str(PREFIX), "LD_LIBRARY_PATH": str(library.parent)}

    def do(self, *command):
        return run(*command, cwd=self.place, env=self.environment)

    def check_does_as_the_page_says(self):
        command, shown = re.search(r"^\$ (printf .*\n)((?:[^$`].*\n)+)", self.PAGE, re.M).groups()
        self.assertEqual(self.do("sh", "-c", command), shown)

    def test_the_page_leads_to_a_working_application_with_meson(self):
        self.do("meson", "setup", "--buildtype=plain", "build")
        self.do("meson", "compile", "-C", "build", "-j", "2")
        self.do("meson", "test", "-C", "build")
        self.check_does_as_the_page_says()

    @unittest.skipUnless(shutil.which("cmake"), "there is no cmake: tools/setup installs it")
    def test_the_page_leads_to_a_working_application_with_cmake(self):
        self.do("cmake", "-G", "Ninja", "-S", ".", "-B", "build")
        self.do("cmake", "--build", "build")
        self.do("ctest", "--test-dir", "build")
        self.check_does_as_the_page_says()

    def test_the_command_line_looks_into_its_store_as_the_page_says(self):
        program = next(PREFIX.rglob("bin/freshet"), None)
        if program is None:
            self.skipTest("this build has no command line")
        self.do(CXX, "-std=c++20", "main.cpp", "-o", "savings", *pkg_config("--cflags", "--libs"))
        self.do("sh", "-c", "echo put bike 1200 | ./savings savings.db")
        self.environment["PATH"] = f"{program.parent}:{os.environ['PATH']}"
        for command in re.findall(r"^\$ freshet (--db .*?)(?: +#.*)?$", self.PAGE, re.M):
            said = self.do("freshet", *command.split())
            self.assertTrue(said, command)


class CommandLineTest(InstallTest):
    def installed(self, name):
        found = next(PREFIX.rglob(name), None)
        if found is None:
            self.skipTest("this build has no command line")
        return found

    def commands(self):
        """Every command as its words, read off --help."""
        program = self.installed("bin/freshet")
        for line in self.section(run(program, "--help"), "Groups"):
            group = line.split()[0]
            inner = self.section(run(program, group, "--help"), "Commands")
            yield from ([group, inside.split()[0]] for inside in inner) if inner else [[group]]

    @staticmethod
    def section(text, heading):
        found = re.search(rf"^{heading}:\n((?:  .*\n)+)", text, re.M)
        return [line for line in (found[1] if found else "").splitlines() if re.match(r"  \S", line)]

    def test_the_manual_has_every_command_and_every_option_that_help_has(self):
        page = self.installed("freshet.1").read_text(encoding="utf-8").replace("\\-", "-")
        program = self.installed("bin/freshet")
        commands = list(self.commands())
        self.assertGreater(len(commands), 10)
        for words in commands:
            self.assertRegex(page, rf'\.SS "?freshet {" ".join(words)}\b')
            for option in re.findall(r"^  (--[a-z-]+)", run(program, *words, "--help"), re.M):
                self.assertIn(f"\\fB{option}\\fR", page)

    @unittest.skipUnless(shutil.which("groff"), "there is no groff: tools/setup installs it")
    def test_the_manual_is_set_without_a_warning(self):
        page = self.installed("freshet.1")
        for columns in (40, 80, 200):
            ran = subprocess.run(["groff", "-man", "-Tutf8", "-ww", f"-rLL={columns}n", page], capture_output=True,
                                 text=True, timeout=60, check=True)
            self.assertEqual(ran.stderr, "")
            self.assertRegex(ran.stdout, r"order\s+place")

    def test_the_readme_shows_commands_that_work(self):
        program = self.installed("bin/freshet")
        page = (ROOT / "README.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```console\n(\$ (?:export [^\n]*\()?freshet .*?)^```", page, re.M | re.S)
        scripts = ["\n".join(["set -e -o pipefail", *re.findall(r"^\$ (.*)", block, re.M)]) for block in blocks]
        self.assertEqual(len(scripts), 4, scripts)
        line = {"at": "2017-10-02T10:56:33Z", "command": "pay", "order": "7"}
        for number, script in enumerate(scripts):
            if "jq" in script and not shutil.which("jq"):
                continue
            place = self.place / str(number)
            place.mkdir()
            (place / "orders.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
            run("bash", "-c", script, cwd=place, stdin=subprocess.DEVNULL,
                env=os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"})

    def bash_completes(self, *words):
        # As bash does it: by the function that is registered for the command.
        script = ("source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
                  "complete=$(complete -p freshet); complete=${complete##* -F }; ${complete%% *} 2>/dev/null; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        place = self.installed("bash-completion/completions/freshet")
        return run("bash", "-c", script, place, *words).split()

    def test_bash_completes_groups_commands_options_and_values(self):
        self.assertIn("order", self.bash_completes("freshet", "ord"))
        self.assertEqual(self.bash_completes("freshet", "order", "pl"), ["place"])
        self.assertEqual(self.bash_completes("freshet", "order", "place", "7", "--cust"), ["--customer"])
        self.assertEqual(self.bash_completes("freshet", "order", "get", "7", "--js"), ["--json"])
        self.assertEqual(self.bash_completes("freshet", "order", "import", "--on-error", "st"), ["stop"])
        self.assertEqual(self.bash_completes("freshet", "--durability", "n"), ["normal"])
        self.assertEqual(self.bash_completes("freshet", "order", "list", "--color", "a"), ["auto", "always"])
        self.assertEqual(self.bash_completes("freshet", "order", "list", "--status", "de"), ["delivered"])

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_completes_groups_commands_options_and_values(self):
        place = self.installed("site-functions/_freshet")
        # What hands candidates over prints them here; zsh itself leaves out those that do not begin as the word does.
        script = ("compadd() { print -rl -- $@ }; _describe() { print -rl -- ${(P)@[-1]} }; _files() { print files }; "
                  "words=(${@[2,-1]}); CURRENT=$#words; PREFIX=$words[-1]; source $1")

        def completes(*words):
            said = run("zsh", "-f", "-c", script, "zsh", place, *words)
            return [line.split(":")[0] for line in said.splitlines() if line.startswith(words[-1])]

        self.assertEqual(completes("freshet", "ord"), ["order"])
        self.assertEqual(completes("freshet", "order", "pl"), ["place"])
        self.assertEqual(completes("freshet", "order", "place", "7", "--cust"), ["--customer"])
        self.assertEqual(completes("freshet", "order", "list", "--status", "de"), ["delivered"])
        self.assertEqual(completes("freshet", "log", "show", "--db", "f"), ["files"])

    @unittest.skipUnless(shutil.which("fish"), "there is no fish")
    def test_fish_completes_groups_commands_options_and_values(self):
        place = self.installed("vendor_completions.d/freshet.fish")

        def completes(line):
            said = run("fish", "--no-config", "-c", f"source {place}; complete -C '{line}'")
            return [found.split("\t")[0] for found in said.splitlines()]

        self.assertIn("order", completes("freshet "))
        self.assertNotIn("place", completes("freshet "))
        self.assertEqual(completes("freshet order pl"), ["place"])
        self.assertEqual(completes("freshet order place 7 --cust"), ["--customer"])
        self.assertEqual(completes("freshet --durability n"), ["normal"])

    def test_the_completions_are_well_formed(self):
        run("bash", "-n", self.installed("bash-completion/completions/freshet"))
        for shell, name in [("zsh", "site-functions/_freshet"), ("fish", "vendor_completions.d/freshet.fish")]:
            if shutil.which(shell):
                run(shell, "-n", self.installed(name))


def main():
    program = unittest.main(verbosity=1, exit=False)
    result = program.result
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    passed = max(0, result.testsRun - failed - skipped)  # What fails before any test is counted as failed alone.
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
    main()
