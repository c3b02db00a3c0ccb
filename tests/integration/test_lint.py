"""The lint fails on what it is there for: each planted fault is reported, and nothing else is."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

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


def known_reasons():
    """The English of each row, with % for whatever is filled in."""
    return set(sentences("desk/reason_rows.c", r"\n\t\{ \"[a-z_]+\",\s*"))


def statements(path, beginning):
    """The sentences in the statements of a source that begin so: more than one word."""
    source = re.sub(r"/\*.*?\*/", "", (TREE / "src" / path).read_text(), flags=re.DOTALL)
    for found in re.finditer(rf"(?:{beginning})[^;]*;", source):
        for literal in re.findall(LITERAL, found[0]):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal)).replace('\\"', '"')
            if " " in text:
                yield re.sub(r"%[-.0-9*]*(?:ll|z)?[a-z0-9]", "%", text).replace("%%", "%")


def test_every_reason_has_its_words():
    """What commands may be refused with is said in every language, and nothing else stands there."""
    executing = [f"app/ticket/{name}.c" for name in ("approve", "change", "create", "fields", "merge",
                                                     "operate", "undo")]
    executing += [f"app/command/{p.name}" for p in (TREE / "src/app/command").glob("*.c")]
    executing += ["app/desk/work.c"]
    refused = {s for path in executing
               for s in sentences(path, r"(?:md_fail|work_refuse|bad_value)\((?:[^;\"]*?)")}
    refused |= {s for path in ("desk/command.c", "desk/command_args.c") for s in sentences(path)
                if re.search("[a-z] [a-z]", s) and not s.startswith("no memory")}
    refused |= {s for s in sentences("desk/workflow.c") if "; allowed: " in s}
    # nothing that anybody is told, or told by another row
    unsaid = {"out of memory", "%", "%: %", '"%" is %'}
    assert refused - unsaid - known_reasons() == set()


def test_every_complaint_has_its_words():
    """Nor does the API refuse a field, or what is there already, without a name for why."""
    api = [f"app/api/{p.name}" for p in (TREE / "src/app/api").glob("*.c")]
    fields = r"\b(?:http_complain|http_refuse_field|api_refuse_parameter|\w*bad(?:_field|_parameter)?)\(|" \
             r"\bret_why = |\bfault = |http_refuse\([^;]*\b(?:409|413|422),"
    failing = r"md_fail\(\s*err,\s*MD_(?:CONFLICT|INPUT),"
    said = {s for path in api + ["net/http_field.c", "net/http_match.c", "net/webhook_address.c"]
            for s in statements(path, fields)}
    said |= {s for path in api for s in statements(path, failing)}
    said |= {s for name in ("canned", "people", "tags", "teams", "users", "views", "webhooks")
             for s in statements(f"store/{name}.c", failing)}
    # of another row, of the command line, of no person's doing, or nothing but "see the fields"
    unsaid = {"must have at most 50 values", '"%" is no scope: allowed: tickets:read, tickets:write, admin',
              "scopes: allowed: tickets:read, tickets:write, admin", "another version", "too much",
              "the body cannot be used", "the query cannot be used",
              "the body must be List-Unsubscribe=One-Click"}
    assert said - unsaid - known_reasons() == set()


def test_no_reason_stands_there_for_nothing():
    everywhere = {s for layer in ("app", "net", "store", "desk")
                  for path in (TREE / "src" / layer).rglob("*.c") if path.name != "reason_rows.c"
                  for s in sentences(path.relative_to(TREE / "src"))}
    empty = {k for k in known_reasons() if k.endswith((": nothing", ": none"))}
    composed = {'"%" is not taken back by undo', 'canned reply "%": %', "to the team %",
                "take it first, [take; resolve]: no way from % to %; allowed: %"}
    assert known_reasons() - empty - composed - everywhere == set()


def test_the_console_has_the_words_of_every_reason():
    subprocess.run([sys.executable, TREE / "src/desk/reason_words.py", "--check"], check=True)


def test_every_error_of_a_mailbox_has_its_words():
    """What is wrong with a mailbox is said in every language."""
    reading = [f"net/{name}.c" for name in ("imap", "imap_open", "imap_fetch", "imap_guard", "wire")]
    reading += ["app/roles/fetch_mails.c", "app/roles/fetch_marks.c", "app/roles/fetch_settings.c",
                "app/desk/bearer.c", "app/desk/bearer_run.c", "app/desk/bearer_renew.c"]
    failed = {s for path in reading
              for s in sentences(path, r"(?:md_fail|md_wrap|snprintf)\((?:[^;\"]*?)")}
    known = set(sentences("desk/mailbox_reasons.c", r"\n\t\{ NULL,\s*"))
    ends = lambda s: any(s == k or s + ": %" == k or s.endswith(": " + k) for k in known)
    # names and other people's words alone, and the configuration's
    unsaid = {"%", "%: %", "%:%", "%: TLS: %", "spool: %", "folder %", "thread: %", "oauth:%:%",
              "no such oauth section: %"}
    assert {s for s in failed - unsaid if not ends(s)} == set()


def letters(locale):
    """Each line that the letters of a language may have, without tags; X is what is filled in."""
    for path in sorted((TREE / "templates" / locale).glob("*.mustache")):
        text = re.sub(r"\{\{[#^/>!][^}]*\}\}", "", path.read_text())
        text = re.sub(r"<[^<>]*>|&[a-z]+;", "", re.sub(r"\{\{\{?[^}]*\}?\}\}", "X", text))
        yield from ((path.name, line) for line in text.splitlines())


def words_of(locale):
    """The fixed words of a language, and what is said of commands and mailboxes in it."""
    text = (TREE / "src/desk/words.c").read_text()
    at = text.index(f'\n\t{{ "{locale}",')
    table = text[at:text.index("\n\t{ ", at + 1) if "\n\t{ \"" in text[at + 1:] else text.index("};", at)]
    yield from (("words.c", s) for s in re.findall(r'"((?:[^"\\]|\\.)*)"', table))
    for name in ("reason_rows", "mailbox_reasons"):
        source = (TREE / f"src/desk/{name}.c").read_text()
        for row in re.findall(r"\n\t\{ (?:\"[a-z_]+\"|NULL),\s*" + LITERAL + r",\s*\{\s*" + r",\s*".join([LITERAL] * 3), source):
            said = dict(zip(("en", "de", "es", "fr"), row))[locale]
            yield f"{name}.c", "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', said)).replace('\\"', '"')


CODE = re.compile(r"`[^`]*`|\[[a-z][^]]*\]|\d\d:\d\d(?::\d\d)?|%\d|Re: |https?://|tickets:[a-z]+")


def said(locale):
    return [(where, CODE.sub("X", text)) for of in (letters, words_of) for where, text in of(locale)]


def test_french_signs_stand_apart():
    """A no-break space before each double sign, and inside quotation marks."""
    found = said("fr")
    assert {"words.c", "reason_rows.c", "mailbox_reasons.c", "created.text.mustache"} <= {w for w, _ in found}
    assert [f for f in found if re.search(r"[^\u00a0][:;?!»]|(?<!\u00a0)%|«(?!\u00a0)", f[1])] == []
    assert [f for f in found if "'" in f[1]] == []  # the apostrophe is ’


def test_spanish_and_german_signs():
    """A question of Spanish begins as one; each language has its own quotation marks."""
    assert [f for f in said("es") if f[1].count("?") != f[1].count("¿") or f[1].count("!") != f[1].count("¡")] == []
    for locale, marks in (("de", "„“"), ("es", "«»"), ("fr", "«»")):
        assert [f for f in said(locale) if set(f[1]) & (set("„“”«»\"") - set(marks))] == []
        assert [f for f in said(locale) if f[1].count(marks[0]) != f[1].count(marks[1])] == []


def test_what_all_languages_share_has_no_signs():
    """A colon behind a word would be wrong in one of them."""
    for path in (TREE / "templates/shared").glob("*.text.mustache"):
        assert not re.search(r"\}[:;?!%]", path.read_text()), path.name


def test_no_english_word_is_left():
    english = re.compile(r"\b(the|this|that|and|with|your|you|is|are|not|from|please|request|reply)\b")
    for locale in ("de", "es", "fr"):
        assert [f for f in said(locale) if english.search(f[1])] == []


def test_outlook_can_lay_letters_out():
    """It knows no padding of a div or of a link: quotes are tables, and buttons say it to it alone."""
    for path in (TREE / "templates").rglob("*.html.mustache"):
        text = path.read_text()
        assert path.name == "layout.html.mustache" or "<div" not in text, path
        assert text.count('class="md-button"') == text.count("mso-padding-alt: "), path
