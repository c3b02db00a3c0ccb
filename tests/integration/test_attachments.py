"""Files: of mails, and uploaded; who may have them, and how they are given."""
import http.client
import os
import socket
import urllib.parse

import pytest

import lib

DESK = 'http { max_upload = "4M" }\n'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
PAGE = b"<html><script>alert(1)</script></html>"


@pytest.fixture(scope="module")
def comment(desk):
    """The first comment of a ticket of Carol's, with two files."""
    mail = lib.new_mail("Carol <carol@customer.test>", "support@desk.test", "Files", "See.\n")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="Bildschirm äöü.png")
    mail.add_attachment(PAGE, maintype="text", subtype="html", filename="page.html")
    desk.send(mail, login="carol")
    anna = desk.api("anna")
    return anna.comments(anna.wait_ticket("it", lambda t: t["title"] == "Files")["id"])[0]


def get(api, number, method="GET", query="", **headers):
    return api.request(method, f"/attachments/{number}{query}",
                       headers={k.replace("_", "-"): v for k, v in headers.items()})


def upload(api, data, name="a.txt", kind="text/plain", **headers):
    return api.request("POST", "/attachments", data, {
        "Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"', **headers})


def ids(comment):
    return [a["id"] for a in comment["attachments"]]


def test_a_file_of_a_mail_is_given_as_it_was(desk, comment):
    for who in ("anna", "carol"):
        got = get(desk.api(who), ids(comment)[0], Accept_Encoding="gzip")
        assert got.status == 200 and got.body == PNG
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''Bildschirm%20%C3%A4%C3%B6%C3%BC.png" in \
        got.headers["Content-Disposition"]
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert get(desk.api("dave"), ids(comment)[0]).status == 404
    assert get(desk.api(), ids(comment)[0]).status == 401
    assert get(desk.api("anna"), 999999).status == 404


def test_only_pictures_are_shown(desk, comment):
    anna = desk.api("anna")
    picture, page = ids(comment)
    shown = get(anna, picture, query="?inline=1")
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["Content-Type"] == "image/png"
    assert get(anna, page, query="?inline=1").headers["Content-Disposition"].startswith("attachment")
    liar = upload(anna, PAGE, "x.png", "image/png").json["id"]
    assert get(anna, liar, query="?inline=1").headers["Content-Disposition"].startswith("attachment")
    assert get(anna, picture, query="?inline=yes").status == 400


@pytest.mark.parametrize("asked, status, part", [
    ("bytes=0-9", 206, slice(0, 10)), ("bytes=100-", 206, slice(100, None)),
    ("bytes=-5", 206, slice(-5, None)), ("bytes=2000-999999", 206, slice(2000, None)),
    ("bytes=-999999", 206, slice(None)), ("bytes=999999-", 416, None), ("bytes=-0", 416, None),
    ("bytes=5-2", 200, slice(None)), ("bytes=0-1,4-5", 200, slice(None)),
    ("lines=1-2", 200, slice(None)), ("bytes=x-y", 200, slice(None)),
    ("bytes=99999999999999999999-", 200, slice(None)),
])
def test_ranges(desk, comment, asked, status, part):
    got = get(desk.api("anna"), ids(comment)[0], Range=asked)
    assert got.status == status
    if status == 416:
        assert got.headers["Content-Range"] == f"bytes */{len(PNG)}"
        return
    assert got.body == PNG[part]
    if status == 206:
        first = len(PNG[:part.start]) if part.start else 0
        assert got.headers["Content-Range"] == \
            f"bytes {first}-{first + len(got.body) - 1}/{len(PNG)}"


def test_conditions_and_head(desk, comment):
    anna = desk.api("anna")
    whole = get(anna, ids(comment)[0])
    etag = whole.headers["ETag"]
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert get(anna, ids(comment)[0], If_None_Match=etag).status == 304
    assert get(anna, ids(comment)[0], Range="bytes=0-1", If_Range=etag).status == 206
    assert get(anna, ids(comment)[0], Range="bytes=0-1", If_Range='"other"').status == 200
    head = get(anna, ids(comment)[0], "HEAD")
    assert head.status == 200 and not head.body
    assert int(head.headers["Content-Length"]) == len(PNG)
    part = get(anna, ids(comment)[0], "HEAD", Range="bytes=0-1")  # ranges are of GET alone
    assert part.status == 200 and int(part.headers["Content-Length"]) == len(PNG)


def test_an_upload_waits_for_its_comment_and_goes_out_with_it(desk, comment):
    anna, bob, carol = (desk.api(n) for n in ("anna", "bob", "carol"))
    data = os.urandom(3 << 20)
    answer = upload(anna, data, "../../große Datei.bin", "application/x-thing")
    assert answer.status == 201, answer.body
    row = answer.json
    assert answer.headers["Location"] == f"/api/v1/attachments/{row['id']}"
    assert (row["filename"], row["size"]) == ("große Datei.bin", len(data))
    assert row["content_type"] == "application/x-thing"
    assert get(anna, row["id"]).body == data
    assert get(bob, row["id"]).status == get(carol, row["id"]).status == 404
    path = f"/tickets/{comment['ticket']}/comments"
    taken = {"body": "Here it is.", "attachments": [row["id"]]}
    assert bob.post(path, taken).status == 422
    done = anna.post(path, taken)
    assert done.status == 201 and done.json["attachments"] == [row], done.body
    assert get(carol, row["id"]).body == data
    again = anna.post(path, {"body": "Again.", "attachments": [row["id"]]})
    assert again.status == 422 and "Again." not in str(anna.comments(comment["ticket"]))
    with desk.mailbox("carol") as box:
        mail = box.wait_mail("the reply", lambda m: "Here it is." in lib.text_of(m))
    assert [p.get_content() for p in mail.iter_attachments()] == [data]


def test_files_of_a_note_are_for_agents(desk, comment):
    anna, carol = desk.api("anna"), desk.api("carol")
    row = upload(anna, b"secret").json
    note = anna.post(f"/tickets/{comment['ticket']}/comments",
                     {"body": "psst", "is_internal": True, "attachments": [row["id"]]})
    assert note.status == 201
    assert get(desk.api("bob"), row["id"]).body == b"secret"
    assert get(carol, row["id"]).status == 404


def test_a_new_ticket_with_a_file(desk):
    carol = desk.api("carol")
    row = upload(carol, b"log").json
    answer = carol.post("/tickets", {"title": "With a log", "description": "See it.",
                                     "attachments": [row["id"]]})
    assert answer.status == 201, answer.body
    assert carol.comments(answer.json["id"])[0]["attachments"] == [row]
    assert carol.post("/tickets", {"title": "x", "description": "x",
                                   "attachments": []}).status == 201
    bad = carol.post("/tickets", {"title": "Never made", "description": "x",
                                  "attachments": [999999]})
    assert bad.status == 422 and not [t for t in carol.tickets() if t["title"] == "Never made"]


def send_raw(desk, head, body=b""):
    url = urllib.parse.urlsplit(desk["http"])
    with socket.create_connection((url.hostname, url.port), timeout=20) as s:
        s.sendall(head)
        if body:
            s.sendall(body)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status


def head_of(api, length, *fields):
    lines = ["POST /api/v1/attachments HTTP/1.1", "Host: desk", f"Content-Length: {length}", *fields]
    if api.token:
        lines.append(f"Authorization: Bearer {api.token}")
    return "\r\n".join([*lines, "", ""]).encode()


def test_what_is_too_large_is_not_taken(desk):
    carol = desk.api("carol")
    assert upload(carol, b"").status == 422
    refused = upload(carol, bytes(5 << 20))
    assert refused.status == 413 and refused.json["limit"] == 4 << 20
    assert send_raw(desk, head_of(carol, 5 << 20, "Expect: 100-continue")) == 413
    # Who is nobody may not even begin with a large one.
    assert send_raw(desk, head_of(desk.api(), 2 << 20, "Expect: 100-continue")) == 413
    assert upload(desk.api(), b"small").status == 401
    # Other bodies are as small as ever.
    big = {"title": "x", "description": "x" * (2 << 20)}
    assert carol.post("/tickets", big).status == 413


def test_nobody_fills_the_disk_with_what_is_never_attached(desk):
    dave = desk.api("dave")
    data = os.urandom((4 << 20) - 1000)
    statuses = [upload(dave, data).status for _ in range(11)]
    assert statuses == [201] * 10 + [413]
