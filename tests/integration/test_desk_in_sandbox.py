"""The daemon in its sandbox: starting, refusing to start, ending, and servers that go and come."""
import os
import pathlib
import re
import signal
import stat

import pytest

from lib import new_mail, run_sandbox, wait_for
from test_sandbox import processes_of

SUPPORT = "support@desk.test"


def health(world):
    return world.api().request("GET", "//healthz")


def mailbox_state(world, name="support"):
    states = {m["name"]: m["state"] for m in health(world).json["mailboxes"]}
    return states.get(name)


def send_and_wait(world, subject):
    world.send(new_mail("Carol <carol@customer.test>", SUPPORT, subject, "x\n"), login="carol")
    return world.api("anna").wait_ticket(subject, lambda t: t["title"] == subject)


def test_everybody_signs_in_with_the_imap_password(desk):
    roles = {}
    for name in ("admin", "anna", "bob", "carol", "dave"):
        me = desk.api(name).get("/auth/me")
        assert me.status == 200, me.body
        roles[me.json["name"]] = me.json["role"]
    assert roles == {"Admin": "admin", "Anna": "agent", "Bob": "agent", "Carol": "customer",
                     "Dave": "customer"}
    assert desk.api().get("/tickets").status == 401


def test_the_desk_starts_empty_and_healthy(start_world):
    world = start_world()
    assert world.api("anna").tickets() == []
    assert health(world).status == 200 and mailbox_state(world) == "ok"
    assert os.getpgid(world["pid"]) == world["pid"]
    for path in (world.dir / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0, f"{path} is open to others"


@pytest.mark.parametrize("fragment, message", [
    ("nonsense = 1\n", r"50-fragment\.conf:1:.*nonsense"),
    ('desk { locale = "en" }\n\nmailbox "support" { prot = 993 }\n', r"50-fragment\.conf:3:.*prot"),
    ('mailbox "support" { tls = "perhaps" }\n', r"50-fragment\.conf:1:.*tls"),
    ("desk {\n", r"50-fragment\.conf"),
])
def test_a_wrong_fragment_is_refused_with_its_line(tmp_path, fragment, message):
    path = tmp_path / "fragment"
    path.write_text(fragment)
    done = run_sandbox("start", tmp_path / "w", "--config", path, check=False)
    assert done.returncode != 0 and re.search(message, done.stderr), done.stderr
    assert processes_of(tmp_path / "w") == []


def test_a_fragment_is_merged_key_by_key(start_world):
    world = start_world(fragment='desk { subject_tag = "<%d>" }\n')
    ticket = send_and_wait(world, "Other tag")
    with world.mailbox("carol") as box:
        box.wait_mail("the acknowledgement", lambda m: f"<{ticket['id']}>" in m["Subject"])


def test_roles_die_with_the_desk_and_nothing_is_lost(start_world):
    world = start_world()
    send_and_wait(world, "before")
    os.kill(world["pid"], signal.SIGKILL)
    wait_for("its roles to end", lambda: not desk_processes(world))
    world.send(new_mail("Carol <carol@customer.test>", SUPPORT, "meanwhile", "x\n"), login="carol")
    world.sandbox("start", "desk")
    world.api("anna").wait_ticket("meanwhile", lambda t: t["title"] == "meanwhile")
    assert sorted(t["title"] for t in world.api("anna").tickets()) == ["before", "meanwhile"]


def desk_processes(world):
    return [p for p in processes_of(world.dir) if "maildesk" in p[1] and "serve" in p[1]]


def test_a_clean_stop_ends_everything(start_world):
    world = start_world()
    world.sandbox("stop", "desk")
    assert desk_processes(world) == [] and world["pid"] is None
    log = (world.dir / "log" / "maildesk.out").read_text()
    assert "Sanitizer" not in log


def test_a_mail_server_that_goes_and_comes(start_world):
    world = start_world(fragment='mailbox "support" { poll_interval = "1s" }\n')
    send_and_wait(world, "one")
    world.sandbox("stop", "imap")
    wait_for("the mailbox to be shown as down", lambda: mailbox_state(world) != "ok")
    assert health(world).status == 200
    world.send(new_mail("Carol <carol@customer.test>", SUPPORT, "two", "x\n"), login="carol")
    world.sandbox("start", "imap")
    world.api("anna").wait_ticket("two", lambda t: t["title"] == "two")


def test_a_wrong_password_is_shown_and_the_desk_goes_on(tmp_path, start_world):
    secret = tmp_path / "wrong"
    secret.write_text("not the password")
    secret.chmod(0o600)
    world = start_world(fragment=f'mailbox "support" {{ password_file = "{secret}" }}\n')
    assert mailbox_state(world) == "auth_failed"
    assert world.api().request("GET", "//readyz").status == 200
    assert "not the password" not in (world.dir / "log" / "maildesk.out").read_text()


def test_no_credential_for_a_server_that_cannot_prove_itself(start_world):
    """A second mailbox at the same server, trusted by the system's CAs only: no log-in is tried."""
    fragment = ('mailbox "second" {{ address = "bob@desk.test"  host = "127.0.0.1"  port = {port}'
                '  tls = "tls"  user = "bob@desk.test"  password_file = "{secret}" }}\n')
    world = start_world("--no-daemon")
    path = world.dir.parent / "fragment"
    path.write_text(fragment.format(port=world["imap"]["tls_port"],
                                    secret=world.dir / "secrets" / "bob@desk.test"))
    world.sandbox("start", "--config", path)
    wait_for("the mailbox to be refused", lambda: mailbox_state(world, "second") == "backoff")
    assert mailbox_state(world) == "ok"
    log = (world.dir / "log" / "dovecot.log").read_text()
    assert "user=<support@desk.test>" in log and "user=<bob@desk.test>" not in log


def test_two_desks_side_by_side(start_world):
    worlds = [start_world(name=n) for n in ("a", "b")]
    for world, subject in zip(worlds, ("in a", "in b")):
        send_and_wait(world, subject)
    for world, subject in zip(worlds, ("in a", "in b")):
        assert [t["title"] for t in world.api("anna").tickets()] == [subject]


def test_secrets_stay_out_of_command_lines_and_logs(desk):
    passwords = [a["password"] for a in desk["accounts"]]
    texts = [p[1] for p in processes_of(desk.dir)]
    texts += [f.read_text(errors="replace") for f in pathlib.Path(desk.dir / "log").iterdir()]
    assert not any(p in text for p in passwords for text in texts)
