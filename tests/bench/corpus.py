#!/usr/bin/python3
"""The mails of the benchmark: the same bytes at every run, written as a Maildir.

    corpus.py MAILDIR [MESSAGES]

70 % new plain mails (2.8 KB), 20 % replies to an earlier mail of the same sender, 8 % HTML with a
plain alternative (25 KB), 2 % with a PDF (283 KB); 500 senders; 10,000 messages are 102 MB.
"""
import base64
import email.utils
import os
import pathlib
import quopri
import random
import shutil
import sys
import time

MESSAGES, QUICK_MESSAGES = 10_000, 1_000
SENDERS = 500
BASE_TIME = 1_760_000_000  # what the Date headers count from
PLAIN_BYTES, HTML_BYTES, PDF_BYTES = 1_350, 21_500, 202_500
HUNDRED = ["plain"] * 70 + ["reply"] * 20 + ["html"] * 8 + ["pdf"] * 2

WORDS = """about account address after again always and any application back because before better
bill browser button cannot change check click close code computer contract copy customer date day
delivery device different does download e-mail error every file find first for form from friday help
hour how invoice just know last letter link list log machine mail message monday month name need new
nothing number office old only open order other page paper password pay people phone please printer
problem program question reach read receive release report request restart right same save screen
second see send server service should show sign since software some start step still stop support
system team test thank that the them then there they thing this ticket time today tomorrow try two
update upload use user version wait want warning week what when where which why window with word
work write wrong year yesterday Größe für möchte schön später Straße über Übersicht wäre""".split()
NAMES = """Ada Ben Cleo Dan Eva Finn Gül Hans Ines Jörg Kim Lea Max Nora Olaf Pia Quin Rosa Sven
Tim""".split()


class Corpus:
    def __init__(self, messages, seed=1):
        self.messages = messages
        self.random = random.Random(seed)
        self.sent = {}  # sender -> (Message-ID, subject, text) of what may be replied to

    def words(self, n):
        return " ".join(self.random.choices(WORDS, k=n))

    def text(self, size):
        """Paragraphs of wrapped lines, about `size` bytes."""
        lines, have = [], 0
        while have < size:
            line = "" if lines and self.random.random() < 0.15 else self.words(11)
            lines.append(line)
            have += len(line) + 1
        return "\n".join(lines) + "\n"

    def sender(self, number):
        name = f"{NAMES[number % len(NAMES)]} {NAMES[number // len(NAMES) % len(NAMES)]}son"
        return email.utils.formataddr((name, f"sender{number}@customer.test"))

    def head(self, i, number, subject, thread=None):
        """What a mail that came through two hops and a filter has above its body."""
        host, date = "mail.customer.test", email.utils.formatdate(BASE_TIME + 7 * i)
        message_id = f"<{self.random.getrandbits(64):016x}.{i}@{host}>"
        signature = base64.b64encode(self.random.randbytes(192)).decode()
        folded = "\n\t".join(signature[k:k + 68] for k in range(0, len(signature), 68))
        lines = [f"Return-Path: <sender{number}@customer.test>",
                 f"Authentication-Results: mx.desk.test;\n\tdmarc=pass header.from=customer.test;\n"
                 f"\tdkim=pass header.d=customer.test;\n\tspf=pass smtp.mailfrom=customer.test",
                 f"Received: from {host} ({host} [192.0.2.{number % 250 + 1}])\n"
                 f"\tby mx.desk.test (Postfix) with ESMTPS id {i:010X}\n"
                 f"\tfor <support@desk.test>; {date}",
                 f"Received: from [10.1.2.{number % 250 + 1}] (unknown [10.1.2.3])\n"
                 f"\tby {host} with ESMTPSA id {i:08x}; {date}",
                 f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customer.test; s=mail;\n"
                 f"\th=From:To:Subject:Date:Message-ID;\n"
                 f"\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n"
                 f"\tb={folded}",
                 f"From: {self.sender(number)}", "To: Example Support <support@desk.test>",
                 f"Subject: {subject}", f"Date: {date}", f"Message-ID: {message_id}",
                 "MIME-Version: 1.0", "User-Agent: Benchmark 1.0"]
        if thread:
            lines += [f"In-Reply-To: {thread}", f"References: {thread}"]
        return message_id, "\n".join(lines) + "\n"

    def plain_part(self, text):
        return ("Content-Type: text/plain; charset=utf-8\n"
                "Content-Transfer-Encoding: 8bit\n\n" + text)

    def html_part(self, size):
        rows = []
        while sum(map(len, rows)) < size:
            rows.append('<tr><td style="padding:4px;font-family:Arial,sans-serif">'
                        f'{self.words(9)}</td><td><a href="https://example.com/item/{self.random.randrange(10**6)}">'
                        f'{self.words(3)}</a>&nbsp;&euro;{self.random.randrange(999)}</td></tr>')
        body = ('<html><head><style>td { color: #222; }</style></head><body><p>Hello,</p><table>\n'
                + "\n".join(rows) + "\n</table></body></html>\n")
        coded = quopri.encodestring(body.encode()).decode()
        return ("Content-Type: text/html; charset=utf-8\n"
                "Content-Transfer-Encoding: quoted-printable\n\n" + coded)

    def pdf_part(self, size):
        data = b"%PDF-1.4\n" + self.random.randbytes(size)
        return ('Content-Type: application/pdf; name="scan.pdf"\n'
                'Content-Transfer-Encoding: base64\n'
                'Content-Disposition: attachment; filename="scan.pdf"\n\n'
                + base64.encodebytes(data).decode())

    def multipart(self, subtype, *parts):
        boundary = f"=_{self.random.getrandbits(96):024x}"
        return (f'Content-Type: multipart/{subtype}; boundary="{boundary}"\n\n'
                + "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n")

    def message(self, i):
        number = self.random.randrange(SENDERS)
        if i % len(HUNDRED) == 0:
            self.kinds = self.random.sample(HUNDRED, len(HUNDRED))
        kind = self.kinds[i % len(HUNDRED)]
        if kind == "reply" and number not in self.sent:
            if not self.sent:
                kind = "plain"
            else:
                number = self.random.choice(list(self.sent))
        if kind == "reply":
            thread, subject, quoted = self.sent[number]
            quote = "".join(f"> {line}\n" for line in quoted.splitlines()[:20])
            text = (self.text(PLAIN_BYTES // 3)
                    + f"\nOn {email.utils.formatdate(BASE_TIME)}, support wrote:\n{quote}")
            return self.head(i, number, f"Re: {subject}", thread)[1] + self.plain_part(text)
        subject, text = self.words(6), self.text(PLAIN_BYTES)
        message_id, head = self.head(i, number, subject)
        self.sent[number] = (message_id, subject, text)
        if kind == "plain":
            return head + self.plain_part(text)
        if kind == "html":
            return head + self.multipart("alternative", self.plain_part(text),
                                         self.html_part(HTML_BYTES))
        return head + self.multipart("mixed", self.plain_part(text), self.pdf_part(PDF_BYTES))

    def __iter__(self):
        return (self.message(i).encode() for i in range(self.messages))


def write_maildir(folder, messages, owner=None, seed=1):
    """Files named as Dovecot names what it saved itself, so that it needs not read them for their
    sizes; in the order of arrival. Returns (bytes as sent, paths)."""
    folder = pathlib.Path(folder)
    for name in ("", "cur", "new", "tmp"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        if owner:
            shutil.chown(folder / name, owner, owner)
    total, paths, first = 0, [], int(time.time()) - messages
    for i, data in enumerate(Corpus(messages, seed)):
        wire = len(data) + data.count(b"\n")
        path = folder / "cur" / f"{first + i}.M{i}P{seed}.bench,S={len(data)},W={wire}:2,"
        path.write_bytes(data)
        if owner:
            shutil.chown(path, owner, owner)
        os.utime(path, (first + i, first + i))
        total += wire
        paths.append(path)
    return total, paths


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    size, files = write_maildir(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else MESSAGES)
    print(f"{len(files)} messages, {size / 1e6:.1f} MB")
