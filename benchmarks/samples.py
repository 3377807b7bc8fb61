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
