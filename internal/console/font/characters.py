"""Prints the characters that a font of the page has, as one text: of the kind
that the argument says, latin or hangul, or of both without one."""

import sys

LATIN = [range(0x20, 0x7F), range(0xA0, 0x180)]
# Punctuation, arrows, boxes and shapes that texts of the API and the page use.
SIGNS = [range(0x2010, 0x2028), range(0x2030, 0x203B), [0x20AC], range(0x2190, 0x2194), [0x2248, 0x2264, 0x2265],
         range(0x2500, 0x2600), range(0x3000, 0x3016)]
JAMO = [range(0x3131, 0x3164)]


def hangul():
    """The syllables of KS X 1001: rows 16 to 40 of its table."""
    for row in range(0xB0, 0xC9):
        for column in range(0xA1, 0xFF):
            yield ord(bytes([row, column]).decode("euc_kr"))


syllables = set(hangul())
assert len(syllables) == 2350
korean = syllables | {p for group in JAMO for p in group}
latin = {p for group in LATIN + SIGNS for p in group}
chosen = {"latin": latin, "hangul": korean, "": latin | korean}[sys.argv[1] if len(sys.argv) > 1 else ""]
print("".join(map(chr, sorted(chosen))), end="")
