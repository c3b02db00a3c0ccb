"""What all commands share: help, manual pages and completion, from one table; the log."""
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from lib import MAILDESK, TREE


def run(*args, **options):
    return subprocess.run([MAILDESK, *map(str, args)], text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, **options)


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
    else:
        for key in re.findall(r"^\t*#?([a-z_]+) = ", run("check", "--sample").stdout, re.M):
            assert f"\n.It Ic {key}\n" in text, key


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
        lines = [json.loads(serve.stderr.readline()) for _ in range(3)]
        serve.terminate()
        lines += [json.loads(line) for line in serve.stderr]
    assert serve.returncode == 0 and {"time", "level", "role", "message"} <= set(lines[0])
    assert any("is up" in line["message"] for line in lines)
    assert run("serve", "--log", "xml", "--config", config).returncode == 64
