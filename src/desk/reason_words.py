"""Writes web/src/messages/reasons.ts: the sentences of reason_rows.c as the console says them.

    python3 src/desk/reason_words.py [--check]

--check: fails when the file is not what it would write."""
import pathlib
import re
import sys

TREE = pathlib.Path(__file__).parents[2]
ROWS, WORDS = TREE / "src/desk/reason_rows.c", TREE / "web/src/messages/reasons.ts"
LITERAL = r'((?:"(?:[^"\\\n]|\\.)*"\s*)+)'
HEAD = """/* Made by src/desk/reason_words.py from src/desk/reason_rows.c: not to be edited. */
import type { Text } from '../lib/text';

const reasons: Record<string, Text> = {
"""


def text(literal):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal)).replace('\\"', '"')


def rows():
    """(name, (en, de, es, fr)) of each."""
    named = rf"\{{ {LITERAL},\s*{LITERAL},\s*\{{ {LITERAL},\s*{LITERAL},\s*{LITERAL}\}} \}}"
    for found in re.findall(named, ROWS.read_text()):
        yield text(found[0]), tuple(text(words) for words in found[1:])


def bare(en):
    """Without the field in front: where it is shown, the field stands beside it."""
    return re.sub(r"^[a-z_.%0-9]+: ", "", en)


def sentence(en, de):
    """In English they are parts of a sentence; what is one in German becomes one."""
    if de[0].isupper():
        en = en[0].upper() + en[1:]
    return en + "." if de[-1] == "." and en[-1] not in ".?" else en


def script(words, holes):
    """With what was filled in as {0}, {1}, as the API numbers it."""
    for i, hole in enumerate(holes):
        words = words.replace(hole, "{%d}" % i)
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def made():
    out = HEAD
    for name, (en, *others) in rows():
        en = bare(en)
        holes = [f"%{n}" for n in (1, 2, 3, 0) if f"%{n}" in en]
        said = [sentence(en, others[0])] + others
        out += f"\t{name}: [{', '.join(script(words, holes) for words in said)}],\n"
    return out + "};\n\nexport default reasons;\n"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        WORDS.write_text(made())
    elif WORDS.read_text() != made():
        sys.exit("web/src/messages/reasons.ts: run python3 src/desk/reason_words.py")
