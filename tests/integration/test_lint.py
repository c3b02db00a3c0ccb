"""The lint fails on what it is there for: each planted fault is reported, and nothing else is."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from lib import TREE

PLANTED = {
    "upward": ("src/desk/x.c", "#include <maildesk/store/db.h>\n", "desk must not include store"),
    "upward-header": ("include/maildesk/base/x.h", "#ifndef MAILDESK_BASE_X_H\n#define MAILDESK_BASE_X_H\n"
                      "#include <maildesk/mail/message.h>\n#endif\n", "base must not include mail"),
    "net-store": ("src/net/x.c", "#include <maildesk/store/db.h>\n", "net must not include store"),
    "private": ("src/app/x.c", '#include "../store/query.h"\n', "private headers"),
    "room": ("src/app/config/x.c", "int config_up(void)\n{\n\treturn api_up();\n}\n",
             "config must not call api_up() of api"),
    "unknown-room": ("src/app/cellar/x.c", "int x;\n", "unknown room"),
    "sql": ("src/app/x.c", 'const char *q = "SELECT id FROM tickets";\n', "SQL outside store/"),
    "banned": ("src/mail/x.c", "void f(char *a, const char *b)\n{\n\tstrcpy(a, b);\n}\n",
               "banned function"),
    "impure": ("src/desk/x.c", "#include <sys/socket.h>\n", "impure"),
    "log": ("src/store/x.c", "#include <maildesk/base/log.h>\n", "log in store or below"),
    "format": ("src/base/x.c", "int  x ;\n", "format"),
    "shell": ("tests/x", "#!/bin/bash\nif true\n", "script"),
    "manual": ("man/x.7", ".Dd November 20, 2026\n.Dt X 7\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Xy z\n",
               "unknown macro"),
    "unit": ("systemd/x.service", "[Service]\nExecStart=/bin/true\n", "systemd unit"),
    "python": ("tests/x.py", "def f(:\n", "script"),
}


@pytest.fixture
def tree(tmp_path):
    """A tree with a source in each layer that is clean."""
    for layer in ("cmd", "app", "net", "store", "desk", "mail", "base"):
        for folder in (tmp_path / "src" / layer, tmp_path / "include" / "maildesk" / layer):
            folder.mkdir(parents=True)
        (tmp_path / "src" / layer / "fine.c").write_text("#include <maildesk/base/err.h>\n")
    (tmp_path / "src/app/api").mkdir()
    (tmp_path / "src/app/api/up.c").write_text("int api_up(void)\n{\n\treturn 1;\n}\n")
    for folder in ("tests", "man", "systemd", "src/app/config", "src/app/cellar"):
        (tmp_path / folder).mkdir()
    shutil.copy(TREE / ".clang-format", tmp_path)
    return tmp_path


def lint(tree):
    return subprocess.run([TREE / "tests" / "lint", tree], text=True, capture_output=True)


def test_a_clean_tree_passes(tree):
    done = lint(tree)
    assert (done.returncode, done.stdout, done.stderr) == (0, "lint: clean (8 sources)\n", "")


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_reported(tree, fault):
    path, text, message = PLANTED[fault]
    (tree / path).write_text(text)
    done = lint(tree)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[-1] == "lint: 1 problems", done.stdout
    assert message in lines[0]


LITERAL = r'("(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)'


def sentences(path, behind=""):
    """The texts of a source that stand behind that, with % for whatever is filled in."""
    source = re.sub(r"/\*.*?\*/|#include[^\n]*", "", (TREE / "src" / path).read_text(), flags=re.DOTALL)
    for found in re.findall(behind + LITERAL, source):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found)).replace('\\"', '"')
        yield re.sub(r"%[-.0-9*]*(?:ll|z)?[a-z0-9]", "%", text)


def test_every_reason_has_its_words():
    """What commands may be refused with is said in every language, and nothing else stands there."""
    executing = [f"app/ticket/{name}.c" for name in ("change", "fields", "merge", "operate", "undo")]
    executing += [f"app/command/{p.name}" for p in (TREE / "src/app/command").glob("*.c")
                  if p.name != "box.c"] + ["app/desk/work.c"]
    refused = {s for path in executing
               for s in sentences(path, r"(?:md_fail|work_refuse|bad_value)\((?:[^;\"]*?)")}
    refused |= {s for path in ("desk/command.c", "desk/command_args.c") for s in sentences(path)
                if re.search("[a-z] [a-z]", s) and not s.startswith("no memory")}
    refused |= {s for s in sentences("desk/workflow.c") if "; allowed: " in s}
    # nothing that a mail is told, or told by another row
    unsaid = {"out of memory", "no command: write #VERB", "%", "%: %", '"%" is %'}
    known = set(sentences("desk/command_reasons.c", r"\n\t\{ "))
    assert refused - unsaid - known == set()
    everywhere = {s for path in executing + ["app/ticket/comment.c"] for s in sentences(path)}
    empty = {k for k in known if k.endswith((": nothing", ": none"))}
    composed = {'"%" is not taken back by undo', 'canned reply "%": %', "to the team %",
                "take it first, [take; resolve]: %"}
    assert known - empty - composed - refused - everywhere == set()
