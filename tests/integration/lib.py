"""Hands of the tests and the demo: mails by SMTP, mailboxes by IMAP, the HTTP API, waiting.

Nothing sleeps to give something time: wait_for() polls a condition until a deadline.
"""
import contextlib
import ctypes
import email
import email.message
import email.policy
import email.utils
import imaplib
import json
import os
import pathlib
import smtplib
import sqlite3
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import libpq

TREE = pathlib.Path(__file__).resolve().parents[2]
SANDBOX = TREE / "tests" / "sandbox" / "sandbox"
MAILDESK = pathlib.Path(os.environ.get("MAILDESK") or TREE / "build" / "maildesk").absolute()
PATIENCE = 60.0  # seconds, against hanging only; the slowest build on a busy machine stays below
SANDBOX_PATIENCE = 600.0  # the same: the sandbox waits for each of its servers, and says for which in vain
AT_ONCE = 30.0  # the same where what would come in a minute by itself proves nothing


def wait_for(what, condition, seconds=PATIENCE):
    """The first true value of condition(); AssertionError with `what` after `seconds`.

    Asked often at first and less so later: a long wait at the API is within its rate limit."""
    deadline, pause = time.monotonic() + seconds, 0.02
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.1, 0.2)


def ok(answer, status=200):
    """The JSON of an answer of the API, which is to have that status."""
    assert answer.status == status, (answer.status, answer.body)
    return answer.json


def refused(answer, status, word=""):
    """It has that status, and its body that word."""
    assert answer.status == status and word in answer.body.decode(), (answer.status, answer.body)


@contextlib.contextmanager
def open_database(server, path):
    """A desk's database, for looking at one moment of it; server: "postgres:...", or None: a file."""
    if server:
        with libpq.snapshot(server) as c:
            yield c
        return
    c = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10, isolation_level=None)
    with contextlib.closing(c):
        c.row_factory = sqlite3.Row
        c.execute("BEGIN")
        yield c


def execute(desk, sql):
    """One statement in the database of a sandbox's desk, behind the daemon's back."""
    if desk.json.get("database"):
        with contextlib.closing(libpq.Connection(desk.json["database"])) as c:
            c.execute(sql)
    else:
        with contextlib.closing(sqlite3.connect(desk.dir / "state" / "desk.db", timeout=10)) as c, c:
            c.execute(sql)


def unseal(desk, purpose, sealed):
    """What the desk sealed (app/vault.h), with the secret of its state_dir."""
    sodium, long = ctypes.CDLL("libsodium.so.23"), ctypes.c_ulonglong
    own = (desk.dir / "state" / "desk.key").read_bytes()
    public, key = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    sodium.crypto_scalarmult_base(public, own)
    with desk.db() as db:
        row = db.execute(f"SELECT envelope FROM desk_keys WHERE holder = '{public.raw.hex()}'"
                         f" AND key_id = {int.from_bytes(sealed[1:5], 'big')}").fetchone()
    envelope = bytes(row[0])
    assert sodium.crypto_box_seal_open(key, envelope, long(len(envelope)), public, own) == 0
    text, n, purpose = ctypes.create_string_buffer(len(sealed)), long(), purpose.encode()
    assert sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        text, ctypes.byref(n), None, sealed[29:], long(len(sealed) - 29), purpose,
        long(len(purpose)), sealed[5:29], key) == 0
    return text.raw[:n.value]


def run(*args, **options):
    """A command of the program, to its end; without input unless `stdin` or `input` is given."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([MAILDESK, *map(str, args)], text=True, capture_output=True, timeout=120,
                          **options)


def run_sandbox(*args, check=True, maildesk=MAILDESK):
    what = f"sandbox {' '.join(map(str, args))}"
    try:
        done = subprocess.run([SANDBOX, *map(str, args)], text=True, capture_output=True,
                              timeout=SANDBOX_PATIENCE, env={**os.environ, "MAILDESK": str(maildesk)})
    except subprocess.TimeoutExpired as e:
        raise AssertionError(f"{what}: not done after {e.timeout:g} s") from None
    if check and done.returncode:
        raise AssertionError(f"{what}: {done.stderr}")
    return done


def new_mail(sender, to, subject, body, **headers):
    """A plain text mail; headers as keywords, In_Reply_To for In-Reply-To."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = email.utils.formatdate()
    mail["Message-ID"] = email.utils.make_msgid(domain="client.test")
    for name, value in headers.items():
        name = name.replace("_", "-")
        del mail[name]
        mail[name] = value
    mail.set_content(body)
    return mail


def reply_to(mail, sender, body, subject=None):
    """What a mail client makes of Reply: to Reply-To, threaded, the original quoted below."""
    quoted = "".join(f"> {line}\n" for line in text_of(mail).splitlines())
    old = str(mail["Subject"])
    return new_mail(sender, str(mail["Reply-To"] or mail["From"]),
                    subject or (old if old.lower().startswith("re:") else f"Re: {old}"),
                    f"{body}\n\nOn {mail['Date']}, they wrote:\n{quoted}",
                    In_Reply_To=mail["Message-ID"],
                    References=" ".join(filter(None, (mail["References"], mail["Message-ID"]))))


def text_of(mail):
    part = mail.get_body(("plain", "html"))
    return part.get_content() if part else ""


class Mailbox:
    """One account's INBOX over IMAP."""

    def __init__(self, imap, account, tls=False):
        if tls:
            context = ssl.create_default_context(cafile=imap["ca_file"])
            self.imap = imaplib.IMAP4_SSL(imap["host"], imap["tls_port"], ssl_context=context,
                                          timeout=PATIENCE)
        else:
            self.imap = imaplib.IMAP4(imap["host"], imap["port"], timeout=PATIENCE)
        self.imap.login(account["user"], account["password"])
        self.imap.select("INBOX")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self.imap.logout()

    def raws(self):
        """The bytes of all mails, oldest first; flags stay as they are."""
        self.imap.noop()
        if self.imap.search(None, "ALL")[1] in ([None], [b""]):
            return []
        _, answer = self.imap.fetch("1:*", "(BODY.PEEK[])")
        return [item[1] for item in answer if isinstance(item, tuple)]

    def mails(self):
        return [email.message_from_bytes(r, policy=email.policy.default) for r in self.raws()]

    def flags(self):
        _, answer = self.imap.fetch("1:*", "(FLAGS)")
        return [imaplib.ParseFlags(line) for line in answer if line]

    def wait_mail(self, what, matches=lambda mail: True, seconds=PATIENCE):
        """The first mail that matches, waited for."""
        return wait_for(what, lambda: next((m for m in self.mails() if matches(m)), None), seconds)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Api:
    """The HTTP API as one person (or nobody). Answers of every status are returned, not raised.

    Paths are below /api/v1; //path stands at the root."""

    def __init__(self, base, sign_in=None):
        self.base, self.token = base, None
        if sign_in:
            answer = self.post("/auth/token", {"email": sign_in["email"],
                                               "password": sign_in["password"]})
            assert answer.status == 200, (answer.status, answer.body)
            self.token = answer.json["access_token"]

    def request(self, method, path, body=None, headers=None):
        url = self.base + (path[1:] if path.startswith("//") else "/api/v1" + path)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers or {}, method=method)
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as e:
            return Answer(e.code, e.headers, e.read())

    def get(self, path, **query):
        return self.request("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path, body):
        return self.request("POST", path, body)

    def patch(self, path, body):
        return self.request("PATCH", path, body)

    def tickets(self, **query):
        """All tickets that match (the first hundred), newest first."""
        answer = self.get("/tickets", per_page=100, sort="-id", **query)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json["items"]

    def wait_ticket(self, what, matches=lambda ticket: True, seconds=PATIENCE):
        return wait_for(what, lambda: next((t for t in self.tickets() if matches(t)), None), seconds)

    def comments(self, ticket):
        answer = self.get(f"/tickets/{ticket}/comments", per_page=100)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json["items"]


class World:
    """A started sandbox, read from its sandbox.json."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.reload()

    def reload(self):
        self.json = json.loads((self.dir / "sandbox.json").read_text())
        self.accounts = {a["address"].partition("@")[0]: a for a in self.json["accounts"]}

    def __getitem__(self, key):
        return self.json[key]

    def db(self):
        return open_database(self.json.get("database"), self.dir / "state" / "desk.db")

    def sandbox(self, action, *args, **options):
        done = run_sandbox(action, self.dir, *args, **options)
        self.reload()
        return done

    def address(self, name):
        return self.accounts[name]["address"]

    def mailbox(self, name, tls=False):
        return Mailbox(self["imap"], self.accounts[name], tls)

    def api(self, name=None):
        account = self.accounts.get(name)
        return Api(self["http"], account and {"email": account["address"],
                                              "password": account["password"]})

    def smtp(self, name=None):
        """A connection to the sandbox's Postfix, signed in as `name` if given."""
        smtp = smtplib.SMTP(self["smtp"]["host"], self["smtp"]["port"], timeout=PATIENCE)
        if name:
            smtp.login(self.accounts[name]["user"], self.accounts[name]["password"])
        return smtp

    def send(self, mail, login=None, sender=None, to=None):
        """Sends a message object or bytes; returns it. login: the account to sign in as."""
        parsed = mail if not isinstance(mail, bytes) else email.message_from_bytes(mail)
        sender = email.utils.parseaddr(str(parsed["From"]))[1] if sender is None else sender
        to = to or email.utils.parseaddr(str(parsed["To"]))[1]
        with self.smtp(login) as smtp:
            smtp.sendmail(sender, to, mail if isinstance(mail, bytes) else mail.as_bytes())
        return mail
