#!/usr/bin/python3
"""Writes searchtext_table.h: what a character is to the search, from this Python's Unicode data.

    searchtext_table.py >searchtext_table.h

A value below FIRST is a class (SEP, WORD, MARK, BIGRAM: see searchtext.c); any other is FIRST plus
the place of the text in `folded` that stands for the character: lower case, compatibility forms
resolved, diacritics gone.
"""
import unicodedata

SEP, WORD, MARK, BIGRAM, FIRST = 0, 1, 2, 3, 4
END, BLOCK = 0x20000, 64
# Letters whose stroke or ligature is no decomposition of Unicode's.
OWN = {"ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe",
       "þ": "th"}
# Written without spaces: pairs of characters are what can be found.
BIGRAMS = [(0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF),
           (0x3005, 0x3007), (0x3041, 0x30FA), (0x30FC, 0x30FF), (0x3105, 0x312F),
           (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F),
           (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x1B000, 0x1B16F)]
KANA = [(0x3041, 0x30FF), (0x31F0, 0x31FF)]
KEEP_MARKS = [(0x0900, 0x0DFF), (0x0E00, 0x109F), (0x1780, 0x17FF)]


def within(cp, ranges):
    return any(a <= cp <= b for a, b in ranges)


def kind(ch):
    cp, category = ord(ch), unicodedata.category(ch)
    if category[0] in "LN" or category == "Mc" or category[0] == "M" and within(cp, KEEP_MARKS):
        return BIGRAM if within(cp, BIGRAMS) else WORD
    return MARK if category in ("Mn", "Me", "Cf") else SEP


def fold(ch):
    if within(ord(ch), BIGRAMS) and not within(ord(ch), KANA) or 0xFFA0 <= ord(ch) <= 0xFFDC:
        return unicodedata.normalize("NFKC", ch)  # syllables and ideographs stay whole
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", ch).casefold())
    return "".join(OWN.get(c, c) for c in text if kind(c) != MARK)


folded, places = bytearray(), {}


def value(cp):
    ch = chr(cp)
    if 0xD800 <= cp <= 0xDFFF:
        return SEP
    if kind(ch) in (SEP, MARK) and unicodedata.category(ch)[0] != "S":
        return kind(ch)
    text = fold(ch)
    if text == ch:
        return kind(ch)
    if not any(kind(c) in (WORD, BIGRAM) for c in text):
        return kind(ch) if kind(ch) in (SEP, MARK) else MARK
    if text not in places:
        places[text] = len(folded)
        folded.extend(text.encode() + b"\0")
    return FIRST + places[text]


def rows(values, per_line):
    for i in range(0, len(values), per_line):
        print("\t" + " ".join(f"{v}," for v in values[i:i + per_line]))


blocks, index = [], []
for start in range(0, END, BLOCK):
    block = [value(cp) for cp in range(start, start + BLOCK)]
    if block not in blocks:
        blocks.append(block)
    index.append(blocks.index(block))
assert len(blocks) < 65536 and len(folded) < 65530

print("/* searchtext_table.h - made by searchtext_table.py; Unicode", unicodedata.unidata_version,
      "*/")
print("#ifndef MAILDESK_SEARCHTEXT_TABLE_H\n#define MAILDESK_SEARCHTEXT_TABLE_H\n")
print("#include <stdint.h>\n\n/* clang-format off */")
print(f"enum {{ TABLE_END = 0x{END:x}, TABLE_BLOCK = {BLOCK}, TABLE_FIRST = {FIRST} }};\n")
print(f"static const uint16_t table_index[{len(index)}] = {{")
rows(index, 16)
print(f"}};\nstatic const uint16_t table_blocks[{len(blocks)}][TABLE_BLOCK] = {{")
for block in blocks:
    if len(set(block)) == 1:
        print("\t{ " + ("0" if block[0] == 0 else f"[0 ... {BLOCK - 1}] = {block[0]}") + " },")
        continue
    print("\t{")
    rows(block, 14)
    print("\t},")
print("};\nstatic const unsigned char folded[] = {")
rows(list(folded), 20)
print("};\n/* clang-format on */\n\n#endif")
