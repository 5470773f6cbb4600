"""Romanization systems: one word of another script, spelt in Latin letters in several customary ways.

Tables are by sound or by letter; the first of each list is the one that lists use, the others are those of
passports, of science, of the French and the German press.
"""

from collections.abc import Mapping, Sequence

Table = Mapping[str, str]


def _tables(text: str) -> list[dict[str, str]]:
    """Lines "letter system1 system2 ...", `_` for nothing; a shorter line repeats its last spelling."""
    rows = [line.split() for line in text.strip().splitlines()]
    width = max(len(row) for row in rows) - 1
    spell = [[cell.replace("_", "") for cell in row[1:]] for row in rows]
    return [
        {row[0]: cells[min(n, len(cells) - 1)] for row, cells in zip(rows, spell, strict=True)}
        for n in range(width)
    ]


#         BGN/PCGN  passport  ISO 9 without marks  French  German
CYRILLIC = _tables("""
а a
б b
в v v v v w
г g
ґ g
д d
е e
є ye ie je ie je
ж zh zh z j sch
з z z z z s
и i i i i i
і i
ї yi i i i ji
й y i j i i
к k
л l
м m
н n
о o
п p
р r
с s s s s s
т t
у u u u ou u
ф f
х kh kh h kh ch
ц ts ts c ts z
ч ch ch c tch tsch
ш sh sh s ch sch
щ shch shch sc chtch schtsch
ъ _
ы y y y y y
ь _
э e
ю yu iu ju iou ju
я ya ia ja ia ja
""")

#         ELOT      customary
GREEK = _tables("""
α a
β v b
γ g gh
δ d dh
ε e
ζ z
η i e
θ th
ι i
κ k c
λ l
μ m
ν n
ξ x ks
ο o
π p
ρ r
σ s
ς s
τ t
υ y i
φ f ph
χ ch h
ψ ps
ω o
ȣ ou
""")

#         list      French    German/Turkish  loose
ARABIC = _tables("""
ā a a a aa
ī i i i ee
ū u ou u oo
a a a a a
i i i i e
u u ou u o
ay ay ai ay ei
aw aw aou au aw
b b
t t
th th th s t
j j dj c j
H h
kh kh kh h kh
d d
dh dh dh z d
r r
z z
s s
sh sh ch s sh
S s
D d d d dh
T t
Z z z z dh
' _
gh gh gh g g
f f
q q k k k
k k
l l
m m
n n
h h
w w ou v w
y y y y i
at a a a ah
""")

#         pinyin    Wade-Giles without marks
CHINESE = _tables("""
zh zh ch
ch ch ch
sh sh sh
x x hs
q q ch
j j ch
z z ts
c c ts
r r j
b b p
p p
d d t
t t
g g k
k k
""")


def romanize(letters: Sequence[str], table: Table) -> str:
    """The word of these letters (or sounds) by one system."""
    return "".join(table.get(letter, letter) for letter in letters)


def others(letters: Sequence[str], tables: Sequence[Table]) -> tuple[str, ...]:
    """The word by every system but the first, without what the first gives as well."""
    first = romanize(letters, tables[0])
    found = (romanize(letters, table) for table in tables[1:])
    return tuple(dict.fromkeys(word for word in found if word != first))
