"""`maildesk parse`: one JSON object a message, in the order given, whatever the bytes are."""
import base64
import json
import random
import resource
import struct
import subprocess

import pytest

from lib import MAILDESK, TREE

SAMPLES = sorted((TREE / "tests" / "data").glob("*.eml"))


def parse(*args, stdin=b""):
    done = subprocess.run([MAILDESK, "parse", *map(str, args)], input=stdin, capture_output=True,
                          timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def mail(number):
    return f"From: a{number}@example.org\nSubject: number {number}\n\ntext {number}\n".encode()


@pytest.fixture
def many(tmp_path):
    """More files than a batch, so that several processes share them."""
    paths = [tmp_path / f"{n:03}" for n in range(300)]
    for n, path in enumerate(paths):
        path.write_bytes(mail(n))
    return paths


def test_one_file_prints_the_object_alone():
    code, objects, _ = parse(SAMPLES[0])
    assert code == 0
    assert objects == [json.loads(SAMPLES[0].with_suffix(".json").read_text())]
    assert "file" not in objects[0]


def test_standard_input():
    code, objects, _ = parse(stdin=mail(7))
    assert (code, [o["subject"] for o in objects]) == (0, ["number 7"])


def test_many_files_keep_their_order(many):
    code, objects, _ = parse(*many)
    assert code == 0
    assert [o["file"] for o in objects] == [str(p) for p in many]
    assert [o["text"] for o in objects] == [f"text {n}" for n in range(300)]


def test_an_unreadable_file_stops_nothing(many, tmp_path):
    code, objects, stderr = parse(many[0], tmp_path / "missing", tmp_path, many[1])
    assert code == 66
    assert [o["file"] for o in objects] == [str(many[0]), str(many[1])]
    assert b"missing" in stderr


def test_files_from_a_list(many, tmp_path):
    names = tmp_path / "list"
    names.write_text("".join(f"{p}\n" for p in many[:40]))
    code, objects, _ = parse("--files-from", names)
    assert (code, [o["file"] for o in objects]) == (0, [str(p) for p in many[:40]])
    names.write_text(f"{many[5]}\n")
    assert [o["file"] for o in parse("--files-from", names)[1]] == [str(many[5])]


def test_maildir(tmp_path):
    for part, name, number in (("cur", "2:2,S", 2), ("new", "1", 1), ("new", "3", 3), ("tmp", "0", 0)):
        (tmp_path / part).mkdir(exist_ok=True)
        (tmp_path / part / name).write_bytes(mail(number))
    code, objects, _ = parse(tmp_path)
    assert (code, [o["subject"] for o in objects]) == (0, ["number 1", "number 2", "number 3"])
    assert objects[1]["file"] == str(tmp_path / "cur" / "2:2,S")


def test_mbox(tmp_path):
    box = tmp_path / "box"
    box.write_bytes(b"".join(b"From x Fri Nov 20 10:00:00 2026\n" + mail(n) + b"From here on: text\n\n"
                             for n in range(3)))
    code, objects, _ = parse("--mbox", box)
    assert (code, [o["subject"] for o in objects]) == (0, ["number 0", "number 1", "number 2"])
    assert "From here on" in objects[0]["text"]
    code, objects, _ = parse(box)  # without the option it is one message
    assert (code, len(objects)) == (0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_any_bytes_are_one_object(seed, tmp_path):
    rng = random.Random(seed)
    sample = bytearray(rng.choice(SAMPLES).read_bytes())
    for _ in range(len(sample) // 10):
        sample[rng.randrange(len(sample))] = rng.randrange(256)
    path = tmp_path / "x"
    path.write_bytes(sample if seed else b"")
    code, objects, _ = parse(path)
    assert (code, len(objects)) == (0, 1)


LINE, MAYBE, PEOPLE = str, (str, type(None)), [{"name": str, "address": str}]
SHAPE = {
    "message_id": MAYBE, "in_reply_to": [LINE], "references": [LINE], "date": MAYBE, "subject": LINE,
    "from": PEOPLE, "reply_to": PEOPLE, "to": PEOPLE, "cc": PEOPLE, "text": LINE, "reply_text": LINE, "html": MAYBE,
    "attachments": [{"filename": LINE, "content_type": LINE, "size": int, "sha256": LINE, "content_id": MAYBE,
                     "inline": bool}],
    "kind": LINE, "evidence": LINE,
    "bounce": [{"recipient": MAYBE, "action": MAYBE, "status": MAYBE, "diagnostic": MAYBE,
                "original_message_id": MAYBE}],
    "auth": {"spf": MAYBE, "dkim": MAYBE, "dmarc": MAYBE, "by": MAYBE}, "defects": [LINE],
}


def has_shape(value, shape):
    if isinstance(shape, list):
        return isinstance(value, list) and all(has_shape(v, shape[0]) for v in value)
    if isinstance(shape, dict):
        return list(value) == list(shape) and all(has_shape(value[k], shape[k]) for k in shape)
    return isinstance(value, shape)


NAMELESS = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=B\n\n--B\n\nx\n--B\nContent-Type: a/b\n\ny\n--B--\n"


@pytest.mark.parametrize("mail", [b"", NAMELESS, *(s.read_bytes() for s in SAMPLES)],
                         ids=["empty", "nameless", *(s.stem for s in SAMPLES)])
def test_each_field_has_its_type_also_when_the_mail_lacks_it(mail):
    code, (facts,), _ = parse(stdin=mail)
    assert code == 0
    assert has_shape(facts, SHAPE), facts


def explain(*args, stdin=b""):
    done = subprocess.run([MAILDESK, "parse", "--explain", *map(str, args)], input=stdin,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode()


STAGES = ["mail", "structure", "attachments", "reply", "kind", "authentication-results", "defects"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_explain_names_each_stage_in_order(sample):
    code, text = explain(sample)
    heads = [line.split(":")[0] for line in text.splitlines() if not line.startswith(" ")]
    facts = json.loads(sample.with_suffix(".json").read_text())
    assert (code, heads) == (0, STAGES)
    assert f"kind: {facts['kind']} ({facts['evidence']})" in text
    assert f"attachments: {len(facts['attachments'])}\n" in text
    assert text.endswith("".join(f"  {d}\n" for d in facts["defects"]))


TREE_MAIL = b"""Authentication-Results: mx.a.example; dkim=pass header.d=b.example; spf=fail
Received: from x
Authentication-Results: mx.z.example; dmarc=pass header.from=b.example
From: Ann <ann@b.example>
Content-Type: multipart/mixed; boundary=M

--M
Content-Type: multipart/alternative; boundary=A

--A
Content-Type: text/plain; charset=utf-8

Yes.

On Fri, 20 Nov 2026 at 16:02, Desk <desk@example.org> wrote:
> Is it?
--A
Content-Type: text/html; charset=utf-8

<p>Yes.</p>
--A--
--M
Content-Type: application/pdf; name="a.pdf"
Content-Transfer-Encoding: base64

JVBERi0x
--M--
"""


def test_explain_gives_reasons():
    code, text = explain(stdin=TREE_MAIL)
    words = " ".join(text.split())
    assert code == 0
    for want in (
        "1 multipart/mixed 1.1 multipart/alternative 1.1.1 text/plain, identity, utf-8, 75 bytes body: text that says something",
        "1.1.2 text/html, identity, utf-8, 11 bytes other form: the same in another form",
        '1.2 application/pdf, base64, 8 bytes, "a.pdf" attachment: no text',
        "a.pdf, application/pdf, looks like application/pdf, 6 bytes",
        "reply: 1 of 4 lines are new + 1 text | Yes. - 2 (follows) |",
        "- 3 quote header | On Fri", "- 4 quote | > Is it?",
        "mx.a.example, below 0 of 1 Received: spf=fail dmarc=- dkim=pass (b.example)",
        "mx.z.example, below 1 of 1 Received: spf=- dmarc=pass (header.from b.example)",
    ):
        assert want in words


def test_explain_survives_bombs_and_missing_files(tmp_path):
    bomb = tmp_path / "bomb"
    bomb.write_bytes(b"From: " + b"(" * 100000 + b"\n\ntext\n")
    code, text = explain(bomb, tmp_path / "missing", SAMPLES[0])
    assert code == 66
    assert "bomb: comments too deep" in text and text.count("=== ") == 2
    code, text = explain(stdin=b"")
    assert code == 0 and "no From" in text


def part(content_type, body):
    return b"--B\nContent-Type: " + content_type + b"\nContent-Transfer-Encoding: base64\n\n" \
        + base64.encodebytes(body)


def winmail(body):
    def attribute(kind, data):
        return b"\2" + struct.pack("<II", kind, len(data)) + data + b"\0\0"
    return struct.pack("<IH", 0x223E9F78, 1) + attribute(0x69002, bytes(14)) \
        + attribute(0x18010, b"big.bin\0") + attribute(0x6800F, body)


BIG = random.Random(1).randbytes(12 << 20)
HEAVY = {
    "attachment": part(b"application/pdf; name=a.pdf", BIG),
    "winmail": part(b"application/ms-tnef; name=winmail.dat", winmail(BIG)),
    "attached-mail": b"--B\nContent-Type: message/rfc822\n\nSubject: in\n\n" + base64.encodebytes(BIG),
    "text": b"--B\n\n" + b"some words in a line\n" * 100_000,
    "latin-1": b"--B\nContent-Type: text/plain; charset=iso-8859-1\n\n" + b"\xe4\xf6\n" * 200_000,
    "html": part(b"text/html", b"<p>some words in a <b>line</b></p>\n" * 60_000),
    "uuencode": b"--B\n\nbegin 644 x\n" + (b"M" + b"a" * 60 + b"\n") * 30_000 + b"`\nend\n",
}


@pytest.mark.skipif(b"__asan" in MAILDESK.read_bytes() or b"__tsan" in MAILDESK.read_bytes(),
                    reason="a sanitizer takes memory of its own")
@pytest.mark.parametrize("by_pipe", (False, True), ids=("file", "pipe"))
@pytest.mark.parametrize("kind", HEAVY)
def test_memory_is_that_of_what_is_printed(kind, by_pipe, tmp_path):
    mail = b"Content-Type: multipart/mixed; boundary=B\n\n" + HEAVY[kind] + b"\n--B--\n"
    path = tmp_path / "heavy"
    path.write_bytes(mail)
    args, stdin = ([], mail) if by_pipe else ([path], b"")
    code, objects, _ = parse(*args, stdin=stdin)
    printed = len(objects[0]["text"].encode()) + len((objects[0]["html"] or "").encode())
    limit = (8 << 20) + 4 * printed
    done = subprocess.run([MAILDESK, "parse", *map(str, args)], input=stdin, capture_output=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
    assert (code, done.returncode, [json.loads(done.stdout)]) == (0, 0, objects)


def test_help_and_bad_options():
    done = subprocess.run([MAILDESK, "parse", "--help"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and "--files-from" in done.stdout and "--explain" in done.stdout
    assert parse("--nonsense")[0] == 64
