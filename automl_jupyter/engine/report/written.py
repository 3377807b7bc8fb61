"""A card as Markdown, and as one HTML file that needs nothing else and holds no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from automl_jupyter.engine.report.card import Block, Code, Picture, Points, Section, Table

_STYLE = """
:root { color-scheme: light dark; }
:root { --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --ground: #fff; --soft: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --quiet: #a3abb6; --line: #3c424b; --ground: #14171c; --soft: #1d2229; }
}
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 0; }
main { max-width: 50rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .9rem; margin: .8rem 0; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top; }
th, td { border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 600; }
td { overflow-wrap: break-word; }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto; font-size: .85rem; }
figure { margin: 1.2rem 0; }
figure svg { width: 100%; max-width: 34rem; height: auto; background: #fff; border-radius: 6px; }
figcaption { color: var(--quiet); font-size: .9rem; }
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Write a card as Markdown; pictures are told by their sentences."""
    parts = [f"# {_safe(title)}"]
    for section in sections:
        parts.append(f"## {_safe(section.title)}")
        parts += [_as_markdown(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _safe(text: str) -> str:
    """Text whose signs mean nothing, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _as_markdown(block: Block) -> str:
    match block:
        case Points(items):
            return "\n".join(f"- {_safe(item)}" for item in items)
        case Table(head, rows):
            lines = [map(_safe, head), ("---",) * len(head), *(map(_safe, row) for row in rows)]
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)
        case Code(text):
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
            return f"{fence}\n{text}\n{fence}"
        case Picture(title, sentence, _):
            return f"**{_safe(title)}.** {_safe(sentence)}"
    return _safe(block)


def html(title: str, sections: Sequence[Section], language: str) -> str:
    """Write a card as one HTML file."""
    body = "\n".join(
        f"<section>\n<h2>{escape(section.title)}</h2>\n"
        + "\n".join(_as_html(block) for block in section.blocks)
        + "\n</section>"
        for section in sections
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _as_html(block: Block) -> str:
    match block:
        case Points(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Table(head, rows):
            top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
            lines = "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
            )
            return f'<table tabindex="0"><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>'
        case Code(text):
            return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'
        case Picture(title, sentence, svg):
            label = escape(f"{title}. {sentence}", quote=True)
            return (
                f'<figure><div role="img" aria-label="{label}">{svg}</div>'
                f"<figcaption>{escape(sentence)}</figcaption></figure>"
            )
    return f"<p>{escape(block)}</p>"
