"""`maildesk template`, and `maildesk check` on the configuration's templates_dir."""
import json
import subprocess

import pytest

from lib import MAILDESK


def run(*args, **more):
    done = subprocess.run([MAILDESK, *map(str, args)], capture_output=True, timeout=60, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("args, out", [
    ((), "<b>&lt;Bob&gt; & &#39;co&#39;</b>\n  - x\n  - y\n"),
    (("--text",), "<b><Bob> & 'co'</b>\n  - x\n  - y\n"),
])
def test_render(tmp_path, args, out):
    write(tmp_path, {
        "t": "<b>{{who}} {{{amp}}} {{co}}</b>\n{{#items}}\n  {{>item}}\n{{/items}}\n",
        "d.json": json.dumps({"who": "<Bob>", "amp": "&", "co": "'co'", "items": ["x", "y"]}),
        "p/item.mustache": "- {{.}}\n",
    })
    assert run("template", "render", tmp_path / "t", "--data", tmp_path / "d.json",
               "--partials", tmp_path / "p", *args) == (0, out, "")


def test_render_without_data_and_partials(tmp_path):
    write(tmp_path, {"t": "a{{b}}{{>c}}{{^d}}e{{/d}}"})
    assert run("template", "render", tmp_path / "t") == (0, "ae", "")


def test_partials_stay_in_their_folder(tmp_path):
    write(tmp_path, {"t": "{{>../t2}}{{>/etc/hostname}}{{>a/../../t2}}.", "t2.mustache": "no",
                     "p/a/x.mustache": ""})
    assert run("template", "render", tmp_path / "t", "--partials", tmp_path / "p") == (0, ".", "")


@pytest.mark.parametrize("files, code, word", [
    ({"t": "\n{{#a}}"}, 65, 't:2: section "a" is not closed'),
    ({"t": "{{>p}}", "p/p.mustache": "x\n{{"}, 65, "p.mustache:2: a tag is not closed"),
    ({"t": "{{>p}}", "p/p.mustache": "{{>p}}"}, 65, "nested deeper than 64"),
    ({"t": "", "d": "{"}, 65, "d: "),
    ({"t": "", "d": '{"a": 1, "a": 2}'}, 65, "d: "),
    ({"d": "{}"}, 66, "No such file"),
])
def test_render_refuses(tmp_path, files, code, word):
    write(tmp_path, {"d": "{}", "p/x": "", **files})
    done = run("template", "render", tmp_path / "t", "--data", tmp_path / "d",
               "--partials", tmp_path / "p")
    assert done[0] == code and done[1] == "" and word in done[2], done


def test_usage():
    assert run("template")[0] in (0, 64)
    assert run("template", "render")[0] == 64
    assert "usage" in run("template", "check", "--help")[1]


def test_check_files(tmp_path):
    write(tmp_path, {"de/created.text.mustache": "Hallo {{recipient.name}},\n",
                     "fr/created.text.mustache": "Bonjour {{nom}}\n",
                     "es/created.text.mustache": "Hola\n{{#x}}\n"})
    good, typo, bad = (tmp_path / f"{name}/created.text.mustache" for name in ("de", "fr", "es"))
    assert run("template", "check", good) == (0, "ok\n", "")
    assert run("template", "check", typo) == (0, "ok\n",
                                              f'{typo}:1: warning: unknown variable "nom"\n')
    assert run("template", "check", good, typo, bad) == (
        65, "", f'{bad}:2: section "x" is not closed\n'
                f'{typo}:1: warning: unknown variable "nom"\n')


@pytest.fixture
def config(tmp_path):
    write(tmp_path, {"pw": "secret\n", "own/de/assigned.text.mustache": "{{actor.name}}\n",
                     "desk.conf": f"""
                         desk {{ templates_dir = "{tmp_path}/own" }}
                         smtp "main" {{ host = "127.0.0.1" tls = none }}
                         mailbox "support" {{ address = "support@desk.test" host = "127.0.0.1"
                             tls = none password_file = pw }}\n"""})
    (tmp_path / "pw").chmod(0o600)
    return tmp_path / "desk.conf"


@pytest.mark.parametrize("command, code", [(("check",), 78), (("template", "check"), 65)])
def test_check_of_the_configuration(config, command, code):
    own = config.parent / "own" / "de"
    assert run(*command, "--config", config)[:2] == (0, "ok\n")
    (own / "facts.text.mustache").write_text("x\n{{>facts.text}}")
    done = run(*command, "--config", config)
    assert done[:2] == (code, "")
    assert f'{own}/facts.text.mustache:2: includes itself by the partial "facts.text"' in done[2]
