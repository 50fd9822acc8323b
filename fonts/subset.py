#!/usr/bin/env python3
"""Cuts the font files in this folder from the full fonts; fonts/README.md says how to run it.

The result depends only on the pinned packages and this script: no time stamps, no system fonts.
"""
import io
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem

FACES = {
    "NotoSerifSC-Regular.ttf": ("serif", "400Regular/NotoSerifSC_400Regular.ttf", "all"),
    "NotoSansSC-Regular.ttf": ("sans", "400Regular/NotoSansSC_400Regular.ttf", "all"),
    # Titles and headings only: level 1 of GB 2312 is enough, the regular face stands in for the rest.
    "NotoSerifSC-Bold.ttf": ("serif", "700Bold/NotoSerifSC_700Bold.ttf", "level 1"),
    # Files of their own, so that what they gain later changes no voucher that needs none of it.
    "NotoSerifSC-Rare.ttf": ("serif", "400Regular/NotoSerifSC_400Regular.ttf", "the rest"),
    # The design that the Latin letters of Noto Serif SC are taken from, with all of Europe's accents.
    "SourceSerif4-Latin.ttf": ("latin", "300Light/SourceSerif4_300Light.ttf", "the rest"),
}
# A fixed moment for head.modified: 2024-01-01, in seconds since 1904-01-01.
MODIFIED = 3_786_912_000
# Noto Serif SC has its Latin letters larger and lighter than Source Serif: capitals of 728 instead of 674 units.
LATIN_SCALE = 1_080


def gb2312(rows):
    """The characters of the given rows (区) of GB 2312."""
    for row in rows:
        for cell in range(1, 95):
            try:
                yield ord(bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312"))
            except UnicodeDecodeError:
                pass


def characters(selection):
    """The code points that a face keeps; for the rest of a face, those that the regular one keeps."""
    wanted = set(range(0x20, 0x7F)) | set(range(0xA0, 0x180))  # ASCII, Latin-1, Latin Extended-A
    wanted |= set(range(0x2010, 0x2028)) | set(range(0x2030, 0x2040))  # dashes, quotes, ellipses
    wanted |= set(range(0x20A0, 0x20C1))  # currency signs
    wanted |= set(range(0x3000, 0x3020)) | set(range(0xFF00, 0xFFF0))  # CJK punctuation, full width
    wanted |= {0x2103, 0x2116, 0x2122, 0x25A1, 0x2610, 0x2611, 0x2713, 0xFFFD}
    wanted |= {0x3007}  # 〇, a digit in Chinese dates
    wanted |= set(gb2312(range(1, 10)))  # its signs, Greek, Cyrillic, kana
    wanted |= set(gb2312(range(16, 56)))  # level 1, by pronunciation
    # What amounts in words need beyond level 1 would go here; all of 零壹贰…整 is in level 1 or below.
    wanted |= set(map(ord, "零壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正负"))
    if selection != "level 1":
        wanted |= set(gb2312(range(56, 88)))  # level 2, by radical
    return wanted


def kept(font, selection, regular):
    """The code points of `font` that a file holds, in order; `regular` are those that the regular face has."""
    wanted = characters(selection)
    if selection == "the rest":
        wanted = set(font.getBestCmap()) - (wanted & regular)
        # Marks that combine with a letter cannot be placed without layout features.
        wanted -= set(range(0x300, 0x370))
    return sorted(wanted)


def cut(source, selection, regular, enlarge):
    """The bytes of the subset of `source`."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "DSIG", "STAT", "gasp"]
    options.recalc_timestamp = False
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=kept(font, selection, regular))
    cutter.subset(font)
    if enlarge:
        units = font["head"].unitsPerEm
        scale_upem(font, LATIN_SCALE)
        font["head"].unitsPerEm = units
    font["head"].modified = MODIFIED
    out = io.BytesIO()
    font.save(out, reorderTables=True)
    return out.getvalue()


def main():
    packages = dict(zip(("serif", "sans", "latin"), map(Path, sys.argv[1:4])))
    target = Path(__file__).parent
    serif, file, _ = FACES["NotoSerifSC-Regular.ttf"]
    regular = set(TTFont(packages[serif] / file).getBestCmap())
    for name, (family, path, selection) in FACES.items():
        data = cut((packages[family] / path).read_bytes(), selection, regular, family == "latin")
        (target / name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")
    for family, title in (("serif", "NotoSerifSC"), ("sans", "NotoSansSC"), ("latin", "SourceSerif4")):
        (target / f"{title}-OFL.txt").write_bytes((packages[family] / "LICENSE_FONT").read_bytes())


main()
