"""Tables that are made, always the same for the same size: something can be learnt of each."""

from __future__ import annotations

import random
from pathlib import Path

CITIES = ("Paris", "Lyon", "Nice", "Lille", "Brest", "Nantes", "Dijon", "Tours")
HEADER = "age,income,visits,distance,score,city,plan,since,member,bought"


def _line(dice: random.Random) -> str:
    age, income = dice.randint(18, 90), dice.lognormvariate(10, 0.5)
    visits, distance, score = dice.randint(0, 40), dice.expovariate(0.1), dice.gauss(0, 1)
    city, plan = dice.choice(CITIES), dice.choice(("free", "basic", "full"))
    since = f"20{dice.randint(10, 25)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    member = dice.random() < 0.3
    likes = age / 30 + visits / 10 + 2 * member + (plan == "full") - distance / 20 + dice.gauss(0, 1)
    missing = dice.random() < 0.02
    return (
        f"{age},{'' if missing else f'{income:.2f}'},{visits},{distance:.3f},{score:.4f},{city},{plan},"
        f"{since},{'true' if member else 'false'},{'yes' if likes > 4 else 'no'}"
    )


def write_rows(path: Path, rows: int, *, target: bool = True) -> Path:
    """Write a table of so many rows with ten columns, nine without the target ``bought``."""
    dice = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        file.write((HEADER if target else HEADER.rpartition(",")[0]) + "\n")
        for _ in range(rows):
            line = _line(dice)
            file.write((line if target else line.rpartition(",")[0]) + "\n")
    return path


def write_bytes(path: Path, size: int) -> Path:
    """Write a table of about so many bytes."""
    dice = random.Random(0)
    block = "".join(_line(dice) + "\n" for _ in range(20_000))
    with path.open("w", encoding="utf-8") as file:
        written = file.write(HEADER + "\n")
        while written < size:
            part = block if size - written >= len(block) else block[: block.index("\n", size - written) + 1]
            written += file.write(part)
    return path


MIXED = "number,amount,share,visits,city,plan,since,seen,member,remark"
_SENTENCE = "the parcel came late and was left with a neighbour who said it looked fine so we kept it"
_WORDS = _SENTENCE.split()
_POOL = 50_000


def _remark(dice: random.Random) -> str:
    """Free text as people type it: often with commas and quotes, now and then on two lines."""
    words = [dice.choice(_WORDS) for _ in range(dice.randint(3, 14))]
    kind = dice.random()
    if kind < 0.5:
        return " ".join(words)
    if kind < 0.8:
        words[1] += ","
    elif kind < 0.97:
        words[-1] = f'""{words[-1]}""'
    else:
        words[-1] += "\nand so on"
    return '"' + " ".join(words) + '"'


def _mixed(dice: random.Random) -> str:
    """A row of :data:`MIXED` without its first cell."""
    day = f"20{dice.randint(10, 25)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    amount = "" if dice.random() < 0.05 else f"{dice.lognormvariate(4, 1):.2f}"
    share = "" if dice.random() < 0.1 else f"{dice.random():.6f}"
    city, plan = dice.choice((*CITIES, "")), dice.choice(("free", "basic", "full"))
    seen = f"{day} {dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}"
    member = "true" if dice.random() < 0.3 else "false"
    return f"{amount},{share},{dice.randint(0, 400)},{city},{plan},{day},{seen},{member},{_remark(dice)}"


def write_mixed(path: Path, size: int, *, ragged: int = 0) -> Path:
    """Write a table of about so many bytes, piece by piece, with columns and cells of every kind.

    Whole numbers, numbers with gaps, categories, days, moments, truth values, and text with commas, quotes
    and line ends in quotes. Every row is another one: they come from a pool and are numbered.

    Parameters
    ----------
    path : Path
        The file to write.
    size : int
        Bytes.
    ragged : int
        Leave the last cell and its separator out of one row in so many; 0 leaves none short.
    """
    dice = random.Random(0)
    pool = [_mixed(dice) for _ in range(_POOL)]
    number, written = 0, 0
    with path.open("w", encoding="utf-8", newline="") as file:
        written += file.write(MIXED + "\n")
        while written < size:
            rows = [f"{number + i},{pool[(number + i) * 7919 % _POOL]}" for i in range(_POOL // 10)]
            if ragged:
                for i in range((-number) % ragged, len(rows), ragged):
                    rows[i] = f"{number + i}," + ",".join(rows[i].split(",", 9)[1:9])
            number += len(rows)
            written += file.write("\n".join(rows) + "\n")
    return path


def write_wide(path: Path, columns: int, rows: int) -> Path:
    """Write a table with very many columns: whole numbers and words in turn, some of them missing."""
    dice = random.Random(0)
    names = [f"{'word' if i % 2 else 'size'}{i}" for i in range(columns)]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        pool = [
            ",".join(dice.choice(CITIES) if i % 2 else str(dice.randint(0, 9999)) for i in range(columns))
            for _ in range(min(rows, 20))
        ]
        for row in range(rows):
            first, _, rest = pool[row % len(pool)].partition(",")
            file.write(f"{int(first) + row},{rest}\n")
    return path


def write_long(path: Path, cell: int, rows: int) -> Path:
    """Write a table whose texts have so many characters, with commas, quotes and line ends."""
    sentence = 'it said ""keep off"", and so we did,\nas one does. '
    text = (sentence * (cell // len(sentence) + 1))[:cell].rstrip('"')
    with path.open("w", encoding="utf-8") as file:
        file.write("number,group,story\n")
        for row in range(rows):
            file.write(f'{row},{CITIES[row % len(CITIES)]},"{row} {text}"\n')
    return path
