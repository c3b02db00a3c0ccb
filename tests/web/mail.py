#!/usr/bin/python3
"""Mails for the tests of the console, by the sandbox's real servers.

    mail.py DESK send LOGIN         the mails on stdin, a JSON list of {to, raw}, as that person
    mail.py DESK wait NAME TEXT     prints the first mail in NAME's mailbox that has TEXT, as JSON
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import lib  # noqa: E402


def main():
    desk, what, name, *rest = sys.argv[1:]
    world = lib.World(desk)
    if what == "send":
        account = world.accounts[name]
        with world.smtp(name) as smtp:
            for mail in json.load(sys.stdin):
                smtp.sendmail(account["address"], mail["to"], mail["raw"].encode())
        return
    with world.mailbox(name) as box:
        mail = box.wait_mail(f"a mail with {rest[0]!r}",
                             lambda m: rest[0] in str(m["Subject"]) or rest[0] in lib.text_of(m))
    print(json.dumps({"subject": str(mail["Subject"]), "text": lib.text_of(mail)}))


main()
