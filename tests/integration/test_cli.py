"""What all commands share: help, manual pages and completion, from one table; the log."""
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from lib import MAILDESK, PATIENCE, TREE, new_mail, run


def commands(*above):
    """Every command, as a tuple of its words."""
    found = []
    listing = run(*above, "--help").stdout
    if "COMMAND" not in listing.partition("\n")[0]:
        return [above]
    for name in re.findall(r"^  ([a-z]+) +\S", listing, re.M):
        found += commands(*above, name)
    return found


@pytest.fixture(scope="module")
def every_command():
    return commands()


def page(name, marker, *args):
    source = (TREE / "man" / f"{name}.in").read_text()
    assert source.count(f"\n{marker}\n") == 1
    return source.replace(f"{marker}\n", run(*args).stdout)


def test_every_command_has_help(every_command):
    assert ("serve",) in every_command and ("ticket", "list") in every_command
    for command in every_command:
        done = run(*command, "--help")
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout.startswith(f"usage: maildesk {' '.join(command)}"), command
        assert run(*command, "--no-such-option").returncode == 64, command


@pytest.mark.parametrize("name, marker, args", [
    ("maildesk.1", "@COMMANDS@", ("completion", "--man")),
    ("maildesk.conf.5", "@KEYS@", ("check", "--man")),
    ("maildesk-api.7", "@ROUTES@", ("api", "--man")),
])
def test_manual_pages_are_whole(tmp_path, every_command, name, marker, args):
    text = page(name, marker, *args)
    (tmp_path / name).write_text(text)
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", tmp_path / name], capture_output=True,
                          text=True)
    assert lint.stdout + lint.stderr == ""
    if name == "maildesk.1":
        for command in every_command:
            assert f"\n.Ss maildesk {' '.join(command)}" in text, command
    elif name == "maildesk-api.7":
        for path, methods in json.loads(run("api").stdout)["paths"].items():
            for method in methods:
                path_text = path.replace("-", r"\-")
                assert f"\n.It Ic {method.upper()} {path_text}\n" in text, (method, path)
    else:
        for key in re.findall(r"^\t*#?([a-z_]+) = ", run("check", "--sample").stdout, re.M):
            name = "<status>" if key == "closed" else key  # retention is by any status
            assert f"\n.It Ic {name}\n" in text, key


COMPLETE = {
    "bash": """source {0}; compopt() {{ :; }}; COMP_WORDS=({1} "{2}"); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
               _maildesk; printf '%s\\n' "${{COMPREPLY[@]}}" """,
    "fish": "source {0}; complete -C '{1} {2}'",
}


@pytest.mark.parametrize("shell", COMPLETE)
@pytest.mark.parametrize("words, last, expected", [
    ("maildesk", "stat", ["status"]),
    ("maildesk ticket", "", ["command", "list", "show"]),
    ("maildesk ticket list", "--st", ["--status"]),
    ("maildesk ticket list --config", "/etc/passw", ["/etc/passwd"]),
])
def test_completion(tmp_path, shell, words, last, expected):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    script = tmp_path / "completion"
    script.write_text(run("completion", shell).stdout)
    done = subprocess.run([shell, "-c", COMPLETE[shell].format(script, words, last)], text=True,
                          capture_output=True, timeout=60, env={"HOME": str(tmp_path),
                                                                "PATH": "/usr/bin:/bin"})
    assert done.stderr == ""
    found = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert set(expected) <= set(found) and all(f.startswith(last) for f in found)


def test_completion_of_zsh_loads(tmp_path):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    (tmp_path / "_maildesk").write_text(run("completion", "zsh").stdout)
    done = subprocess.run(["zsh", "-fc", f"autoload -U compinit; compinit -D; source {tmp_path}/_maildesk; "
                           "print ${_comps[maildesk]}"], text=True, capture_output=True, timeout=60)
    assert (done.stdout, done.stderr) == ("_maildesk\n", "")
    assert run("completion", "csh").returncode == 64 and run("completion").returncode == 64


@pytest.mark.parametrize("args, fragment", [(("--log", "json"), ""), ((), 'log = "json"\n')])
def test_the_log_as_json(mail_world, tmp_path, args, fragment):
    text = pathlib.Path(mail_world["config"]).read_text()
    config = tmp_path / "maildesk.conf"
    config.write_text(re.sub(r'state_dir = ".*"', f'state_dir = "{tmp_path}/state"', text) + fragment)
    with subprocess.Popen([MAILDESK, "serve", "--config", config, *args], text=True,
                          stderr=subprocess.PIPE) as serve:
        lines = [serve.stderr.readline() for _ in range(3)]
        serve.terminate()
        lines += list(serve.stderr)
    assert all(line.startswith("{") for line in lines), lines
    lines = [json.loads(line) for line in lines]
    assert serve.returncode == 0 and {"time", "level", "role", "message"} <= set(lines[0])
    assert any("is up" in line["message"] for line in lines)
    assert run("serve", "--log", "xml", "--config", config).returncode == 64


def on(desk, *args, text=None):
    return subprocess.run([MAILDESK, *map(str, args), "--config", desk["config"]], text=True,
                          capture_output=True, timeout=60, input=text or "")


def test_a_ticket_from_opening_to_answer(desk):
    opened = on(desk, "ticket", "new", "--as", "carol@customer.test", "--tags", "paper,jam", "--json",
                "Printer\non fire", text="It burns.\n")
    assert opened.returncode == 0, opened.stderr
    number = json.loads(opened.stdout)["ticket"]
    with desk.mailbox("carol") as box:
        box.wait_mail("the acknowledgement", lambda m: f"#{number}" in str(m["Subject"]))
        done = on(desk, "ticket", "reply", f"#{number}", "--as", "anna@desk.test", "--commands",
                  "[take; resolve]", text="It was the toner.\n")
        assert (done.returncode, done.stdout) == (0, f"ticket {number} answered\n"), done.stderr
        box.wait_mail("the answer", lambda m: "It was the toner." in m.get_body(("plain",)).get_content())
    assert on(desk, "ticket", "reply", number, "--as", "anna@desk.test", "--note",
              text="Order some.\n").returncode == 0
    shown = json.loads(on(desk, "ticket", "show", number, "--json").stdout)
    assert shown["title"] == "Printer on fire" and shown["status"] == "resolved"
    assert sorted(shown["tags"]) == ["jam", "paper"]
    assert shown["requester"]["email"] == "carol@customer.test"
    assert [c["is_internal"] for c in shown["comments"]] == [False, False, True]
    assert {h["source"] for h in shown["history"]} == {"cli"}


@pytest.mark.parametrize("args, code, words", [
    (("ticket", "new", "x"), 64, "--as is missing"),
    (("ticket", "new", "x", "--as", "nobody"), 65, "no active user"),
    (("ticket", "new", "x", "--as", "carol@customer.test", "--priority", "huge"), 64, "allowed: low"),
    (("ticket", "new", "x", "--as", "carol@customer.test", "--mailbox", "none"), 65, "no mailbox"),
    (("ticket", "reply", "999999", "--as", "anna@desk.test"), 65, ""),
    (("ticket", "reply", "x", "--as", "anna@desk.test"), 64, "no ticket number"),
    (("user", "set", "anna@desk.test"), 64, "what to change"),
    (("user", "set", "nobody@desk.test", "--disable"), 65, "no user"),
    (("user", "set", "anna@desk.test", "--role", "king"), 65, "allowed: admin"),
    (("token", "add"), 64, "--user is missing"),
    (("token", "add", "--user", "anna@desk.test", "--scopes", "all"), 65, "no scope"),
    (("token", "add", "--user", "anna@desk.test", "--expires", "2001-01-01T00:00:00Z"), 64, "ahead"),
    (("token", "remove", "999999"), 65, "no such key"),
])
def test_what_cannot_be_done_is_said(desk, args, code, words):
    done = on(desk, *args, text="x")
    assert done.returncode == code and words in done.stderr, (done.returncode, done.stderr)


def test_keys_of_programs(desk):
    made = json.loads(on(desk, "token", "add", "--user", "anna@desk.test", "--name", "robot",
                         "--scopes", "tickets:read,tickets:write", "--json").stdout)
    api = desk.api()
    api.token = made["key"]
    assert api.get("/tickets").status == 200 and api.get("/users").status == 200
    assert api.post("/tags", {"name": "x"}).status == 403
    listed = [json.loads(line) for line in on(desk, "token", "list", "--json").stdout.splitlines()]
    assert [(k["id"], k["name"], k["scopes"]) for k in listed] == [
        (made["id"], "robot", "tickets:read tickets:write")]
    assert on(desk, "token", "remove", made["id"]).returncode == 0
    assert api.get("/tickets").status == 401


def test_a_person_is_changed(desk, tmp_path):
    api = desk.api("bob")
    secret = tmp_path / "pw"
    secret.write_text("another long one\n")
    assert on(desk, "user", "set", "bob@desk.test", "--password-file", secret, "--name", "Bobby",
              "--role", "admin").returncode == 0
    assert api.get("/auth/me").status == 401
    answer = desk.api().post("/auth/token", {"email": "bob@desk.test", "password": "another long one"})
    assert answer.status == 200
    api.token = answer.json["access_token"]
    me = api.get("/auth/me").json
    assert (me["name"], me["role"]) == ("Bobby", "admin")
    assert on(desk, "user", "set", "bob@desk.test", "--disable").returncode == 0
    assert api.get("/auth/me").status == 401


def test_check_for_programs(mail_world, tmp_path):
    config = tmp_path / "maildesk.conf"
    config.write_text(pathlib.Path(mail_world["config"]).read_text())
    done = run("check", "--json", "--config", config)
    assert done.returncode == 0 and json.loads(done.stdout) == {"ok": True, "problems": []}
    config.write_text(config.read_text() + 'desk { nmae = "x" }\n')
    done = run("check", "--json", "--config", config)
    problem, = json.loads(done.stdout)["problems"]
    assert done.returncode == 78 and problem.pop("text").startswith("desk: unknown key")
    assert problem == {"file": str(config), "level": "error",
                       "line": len(config.read_text().splitlines())}


def test_a_file_that_is_an_mbox_is_taken_in_as_one(desk, tmp_path):
    def mail(number):
        return str(new_mail("carol@customer.test", "support@desk.test", f"Of an mbox {number}",
                                "Hello.\n\nFrom here on it is text.\n")).replace("\r\n", "\n")

    def ingest(text, *args):
        path = tmp_path / "mails"
        path.write_text(text)
        return subprocess.run([MAILDESK, "ingest", "--config", desk["config"], *args, path],
                              text=True, capture_output=True, timeout=PATIENCE)

    line = "From carol@customer.test Mon Mar  2 09:00:00 2026\n"
    both = f"{line}{mail(1)}\n{line}{mail(2)}"
    done = ingest(both, "--mailbox", "support")
    assert done.stdout == "ticket_created\n" * 2, done.stderr
    assert ingest(both).stdout == "duplicate\n" * 2
    assert ingest(mail(3)).stdout == "ticket_created\n"
    assert ingest(line + mail(4)).stdout == "ticket_created\n"


@pytest.mark.parametrize("args", [("--mailbox", "none"), ("--config", "/nowhere/maildesk.conf"),
                                  ("/nowhere/mail",)])
def test_what_cannot_be_taken_in_is_tried_again(desk, args):
    done = subprocess.run([MAILDESK, "ingest", "--config", desk["config"], *args], text=True,
                          input="From: a@b.test\n\nHi\n", capture_output=True,
                          timeout=PATIENCE)
    assert done.returncode == 75 and done.stderr  # EX_TEMPFAIL: the MTA keeps it


def test_who_is_added_without_a_password_is_told_of(desk):
    done = on(desk, "user", "add", "--email", "new@desk.test", "--role", "agent")
    assert done.returncode == 0 and done.stderr.endswith("/forgot\n"), done
    done = on(desk, "user", "add", "--email", "newer@desk.test", "--json")
    assert set(json.loads(done.stdout)) == {"id"}
    done = on(desk, "user", "add", "--email", "newest@desk.test", "--password-file", "-",
              text="long enough for it\n")
    assert done.returncode == 0 and done.stderr == ""
