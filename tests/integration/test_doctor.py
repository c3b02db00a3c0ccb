"""`maildesk doctor` and `maildesk status`: everything tried for real, and what to do about it."""
import http.server
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import threading

import pytest

from lib import MAILDESK, run, wait_for


def findings(done):
    return {(f["what"], f["name"]): (f["finding"], f["text"])
            for f in map(json.loads, done.stdout.splitlines())}


def doctor(config, *args):
    done = run("doctor", "--json", "--config", config, "--wait", "20", *args)
    assert done.stderr == "", done.stderr
    return done.returncode, findings(done)


@pytest.fixture
def variant(desk, tmp_path):
    """A configuration like the sandbox's, with a state_dir of its own: variant(("old", "new"), ...)."""
    def make(*changes, fragment=""):
        text = pathlib.Path(desk["config"]).read_text()
        text = re.sub(r'state_dir = ".*"', f'state_dir = "{tmp_path}/state"', text)
        text = re.sub(r'database = ".*"', 'database = "sqlite:desk.db"', text)
        text = re.sub(r'listen = ".*"', 'listen = "127.0.0.1:1"', text)  # no daemon of its own
        for old, new in changes:
            assert old in text, text
            text = text.replace(old, new)
        config = tmp_path / "maildesk.conf"
        config.write_text(text + fragment)
        (tmp_path / "state").mkdir(exist_ok=True, mode=0o700)
        return config
    return make


def test_all_is_well_and_nothing_stays_behind(desk):
    code, found = doctor(desk["config"])
    assert code == 0
    assert {f for f, _ in found.values()} <= {"ok", "skipped", "warning"}, found
    for what in (("configuration", None), ("state_dir", None), ("database", None),
                 ("daemon", None), ("kernel", None), ("mailbox", "support"), ("smtp", "main"),
                 ("delivery", "support"), ("plus-addressing", "support"), ("trust", "support")):
        assert found[what][0] == "ok", (what, found[what])
    assert "removed" in found["trust", "support"][1]
    with desk.mailbox("support") as box:
        assert box.raws() == []
    with desk.db() as c:
        assert c.execute("SELECT count(*) FROM quarantine").fetchall()[0][0] == 0
        assert c.execute("SELECT count(*) FROM tickets").fetchall()[0][0] == 0
    text = run("doctor", "--config", desk["config"], "--no-mail")
    assert text.returncode == 0 and "mailbox support" in text.stdout


@pytest.mark.parametrize("after", ["delete", "move:INBOX.Done", "seen"])
def test_a_daemon_that_takes_mails_away_is_no_hindrance(desk, after):
    fragment = desk.dir / "conf.d" / "90-after.conf"
    if after.startswith("move:"):
        with desk.mailbox("support") as box:
            box.imap.create(after[5:])
    try:
        fragment.write_text(f'mailbox "support" {{ after = "{after}" }}\n')
        loaded = status(desk)["configuration"]["loaded_at"]
        os.kill(desk["pid"], signal.SIGHUP)
        wait_for("the reload", lambda: status(desk)["configuration"]["loaded_at"] != loaded)
        wait_for("the mailbox", lambda: status(desk)["mailboxes"][0]["state"] == "ok")
        code, found = doctor(desk["config"])
        assert code == 0 and found["delivery", "support"][0] == "ok", found
        assert found["plus-addressing", "support"][0] == "ok"
        with desk.db() as c:
            assert c.execute("SELECT count(*) FROM quarantine").fetchall()[0][0] == 0
    finally:
        fragment.unlink()


def status(desk):
    return json.loads(run("status", "--json", "--config", desk["config"]).stdout)


def test_what_does_not_work_is_named_with_what_to_do(desk, variant, tmp_path):
    wrong = tmp_path / "wrong.secret"
    wrong.write_text("wrong\n")
    wrong.chmod(0o600)
    secret = f'{desk.dir}/secrets/support@desk.test'
    imap, smtp = desk["imap"]["tls_port"], desk["smtp"]["port"]
    for changes, what, words in (
            ([(secret, str(wrong))], ("mailbox", "support"), "check user and password_file"),
            ([(f"port = {imap}", "port = 1")], ("mailbox", "support"), "host, port and firewall"),
            ([(f'ca_file = "{desk.dir}/tls/ca.pem"', "")], ("mailbox", "support"), "certificate"),
            ([('user = "support@desk.test"', 'user = "support@desk.test" folder = "Nowhere"')],
             ("mailbox", "support"), "create the folder"),
            ([(f"port = {smtp}", "port = 1")], ("smtp", "main"), "check host, port"),
            ([('address = "support@desk.test"', 'address = "nobody@desk.test"')],
             ("smtp", "main"), "did not take"),
            ([('state_dir = "', 'state_dir = "/proc/x')], ("state_dir", None), "state_dir"),
    ):
        code, found = doctor(variant(*changes))
        assert code == 69 and found[what][0] == "failed" and words in found[what][1], (what, found)


def test_a_broken_configuration_ends_it(variant):
    code, found = doctor(variant(fragment="desk { nmae = \"x\" }\n"))
    assert code == 78 and list(found) == [("configuration", None)]
    assert 'did you mean "name"' in found["configuration", None][1]


def test_a_login_shows_what_the_server_proves(desk, variant):
    """Signed in, the sandbox's Postfix adds its results: then they can be used, and are missed."""
    login = ('tls = "none" }', 'tls = "none" user = "support@desk.test" password_file = '
             f'"{desk.dir}/secrets/support@desk.test" }}')
    code, found = doctor(variant(login))
    assert code == 0 and found["trust", "support"][0] == "ok", found
    code, found = doctor(variant(login, ('authserv_id = "mx.desk.test"', 'authserv_id = ""')))
    assert code == 0 and found["trust", "support"][0] == "warning"
    assert 'authserv_id = "mx.desk.test" trusted_hops = 1 }' in found["trust", "support"][1]
    code, found = doctor(variant(login, ('"mx.desk.test"', '"mx.other.test"')))
    assert found["trust", "support"][0] == "warning" and "mx.desk.test" in found["trust", "support"][1]


@pytest.mark.parametrize("url, finding, words", [
    ("http://127.0.0.1:8025", "skipped", "only this machine"),
    ("http://0.0.0.0:8025", "warning", "nobody can open"),
    ("https://help.example.com", None, ""),
])
def test_where_links_in_mails_lead(variant, url, finding, words):
    _, found = doctor(variant(fragment=f'desk {{ url = "{url}" }}\n'), "--no-mail")
    got = found.get(("links", None), (None, ""))
    assert got[0] == finding and words in got[1]


def test_nobody_is_admin(variant):
    code, found = doctor(variant(), "--no-mail")
    assert found["people", None][0] == "warning" and "user add" in found["people", None][1]


def test_options(variant):
    assert run("doctor", "--wait", "never").returncode == 64
    assert run("status", "--config", "/nonexistent").returncode == 78


def test_status(desk):
    wait_for("the mailbox", lambda: json.loads(run("status", "--json", "--config", desk["config"])
                                               .stdout)["mailboxes"][0]["state"] == "ok")
    done = run("status", "--json", "--config", desk["config"])
    status = json.loads(done.stdout)
    assert done.returncode == 0 and status["daemon"] == "up" and status["daemons"] == 1
    assert status["outbox"]["queued"] == 0 and status["quarantine"] >= 0
    assert status["configuration"]["state"] == "ok"
    text = run("status", "--config", desk["config"]).stdout
    assert "mailbox    support" in text and "outbox     0 queued" in text


def test_status_is_live(desk):
    with subprocess.Popen([MAILDESK, "status", "--watch", "--json", "--config", desk["config"]],
                          text=True, stdout=subprocess.PIPE) as watching:
        looks = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.terminate()
    assert [s["daemon"] for s in looks] == ["up", "up"]


def test_status_of_a_desk_without_daemon(variant):
    done = run("status", "--config", variant())
    assert done.returncode == 69 and "daemon     down" in done.stdout


class Stranger(http.server.BaseHTTPRequestHandler):
    """Something else than maildesk, which answers whatever it is asked."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *args):
        pass


def at(listen):
    return ("127.0.0.1:1\"", f"{listen}\"")


def test_who_answers_is_of_another_desk(desk, variant):
    """Two desks of one machine are set to the same port."""
    config = variant(at(desk["http"].removeprefix("http://")))
    for _ in range(2):  # before a daemon ever worked here, and after
        code, found = doctor(config, "--no-mail")
        assert code == 69 and found["daemon", None][0] == "failed", found
        assert "another desk answers" in found["daemon", None][1]
        done = run("status", "--json", "--config", config)
        told = json.loads(done.stdout)
        assert done.returncode == 69 and told["daemon"] == "down" and "mailboxes" not in told
        assert "another port" in told["error"] and "another port" in run("status", "--config", config).stdout
        assert run("ticket", "new", "--config", config, "--as", "carol@customer.test", "x").returncode == 0
        assert sqlite3.connect(config.parent / "state" / "desk.db").execute(
            "SELECT count(*) FROM settings WHERE name = 'desk_id'").fetchone() == (1,)


def test_who_answers_is_no_maildesk(variant):
    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = variant(at(f"127.0.0.1:{server.server_port}"))
        _, found = doctor(config, "--no-mail")
        told = run("status", "--config", config)
        server.shutdown()
    assert found["daemon", None][0] == "failed" and "Something else than maildesk" in found["daemon", None][1]
    assert told.returncode == 69 and "Something else than maildesk" in told.stdout


@pytest.mark.parametrize("days, finding, words", [(3, "warning", "see why it is not renewed"),
                                                  (90, "ok", "is good for")])
def test_the_desks_own_certificate(variant, tmp_path, days, finding, words):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-subj",
                    "/CN=help.desk.test", "-days", str(days)], check=True, capture_output=True)
    _, found = doctor(variant(fragment=f'http {{ certificate = "{tmp_path}/cert.pem"'
                              f' key = "{tmp_path}/key.pem" }}\n'), "--no-mail")
    assert found["certificate", None][0] == finding and words in found["certificate", None][1]


NAME_SERVER = r"""
import socket, struct, sys
records = {(b"good.org", 15): [struct.pack(">H", 10) + b"\2mx\4good\3org\0"],
           (b"good.org", 16): [b"\5other", b"\6v=spf1\5 -all"],
           (b"_dmarc.good.org", 16): [b"\17v=DMARC1;p=none"]}
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("listening", flush=True)
while True:
    query, peer = server.recvfrom(4096)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    question, kind = query[12:at + 5], struct.unpack(">H", query[at + 1:at + 3])[0]
    found = records.get((b".".join(labels).lower(), kind), [])
    answers = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(r)) + r for r in found)
    server.sendto(query[:2] + b"\x81" + (b"\x80" if found else b"\x83") +
                  struct.pack(">HHHH", 1, len(found), 0, 0) + question + answers, peer)
"""
ISOLATED = """ip link set lo up && mount --bind "$1/resolv.conf" /etc/resolv.conf || exit 99
/usr/bin/python3 "$1/server.py" > "$1/ready" & trap "kill $!" EXIT
until grep -q listening "$1/ready"; do sleep 0.05; done
"$2" doctor --no-mail --json --config "$1/maildesk.conf"
"""


@pytest.mark.parametrize("domain, expected", [
    ("good.org", [("ok", "MX mx.good.org, SPF and DMARC are there")]),
    ("bad.org", [("warning", "no MX record"), ("warning", "no SPF record"), ("warning", "no DMARC")]),
])
def test_the_records_of_a_domain(variant, tmp_path, domain, expected):
    """In a network of its own, with a name server that knows one domain."""
    variant(("support@desk.test\"  host", f"support@{domain}\"  host"))
    (tmp_path / "server.py").write_text(NAME_SERVER)
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    done = subprocess.run(["unshare", "--net", "--mount", "sh", "-c", ISOLATED, "sh", tmp_path, MAILDESK],
                          text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no network of its own can be had here: {done.stderr}")
    told = [f for f in map(json.loads, done.stdout.splitlines()) if f["what"] == "dns"]
    assert [f["finding"] for f in told] == [f for f, _ in expected], (told, done.stderr)
    assert all(words in f["text"] for f, (_, words) in zip(told, expected)), told
