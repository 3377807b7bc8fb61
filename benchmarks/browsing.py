"""A headless Chromium, and what a page says of how quick it felt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE = {"width": 1200, "height": 900}
PATIENCE_MS = 60_000

PROBE = """
(() => {
  const LISTS = 3;
  const felt = { slowest: 0, frame: 0, began: 0, shown: 0, last: 0, scope: '.am-app' };
  const listed = new Map();
  let first = null;
  const slow = new PerformanceObserver(list => list.getEntries().forEach(take));
  function take(entry) {
    if (entry.interactionId) felt.slowest = Math.max(felt.slowest, entry.duration);
  }
  slow.observe({ type: 'event', durationThreshold: 16 });
  function frame(now) {
    if (felt.last) felt.frame = Math.max(felt.frame, now - felt.last);
    felt.last = now;
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);
  for (const kind of ['pointerdown', 'keydown', 'wheel']) {
    addEventListener(kind, event => { felt.began ||= event.timeStamp; }, { capture: true, passive: true });
  }
  function noted(records) {
    const scope = document.querySelector(felt.scope);
    if (records.some(record => scope?.contains(record.target))) {
      requestAnimationFrame(() => { felt.shown = performance.now(); });
    }
    const now = performance.timeOrigin + performance.now();
    for (const cell of document.querySelectorAll('.am-board th[scope=row]')) {
      const name = cell.firstChild?.textContent ?? '';
      if (!listed.has(name)) listed.set(name, now);
    }
    const lists = document.querySelectorAll('.am-list').length;
    if (first === null && lists === LISTS && !document.querySelector('.am-waiting')) {
      first = 0;
      requestAnimationFrame(() => { first = performance.now(); });
    }
  }
  new MutationObserver(noted).observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true
  });
  const isSettled = () => document.querySelector('.am-app h1') && !document.querySelector('.am-waiting');
  // Asked within the page, whose policy lets nobody evaluate anything later on.
  async function until(holds) {
    const end = performance.now() + PATIENCE_MS;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`still not: ${holds}`);
      await new Promise(requestAnimationFrame);
    }
  }
  window.bench = {
    begin(scope) {
      slow.takeRecords();
      Object.assign(felt, { slowest: 0, frame: 0, began: 0, shown: 0, scope });
    },
    settled: () => until(isSettled),
    async first() {
      await until(() => first);
      return first;
    },
    listed: () => Object.fromEntries(listed),
    async felt() {
      await until(() => felt.shown && isSettled());
      // The browser tells of an event only after the frame that it led to.
      for (let left = 4; left; left -= 1) await new Promise(requestAnimationFrame);
      await new Promise(done => setTimeout(done, 50));
      slow.takeRecords().forEach(take);
      const { slowest, frame, shown, began } = felt;
      return { slowest, frame, shown: shown - began, nodes: document.querySelectorAll('*').length };
    }
  };
})();
""".replace("PATIENCE_MS", str(PATIENCE_MS))


@dataclass(frozen=True)
class Felt:
    """What one action of a person led to.

    Attributes
    ----------
    slowest : float
        Milliseconds from the slowest event of it to the next paint, in steps of 8; 0 where it is below 16.
    frame : float
        The longest time between two frames until all was there, in milliseconds: how long the page stood
        still.
    shown : float
        Milliseconds from its first event until the last thing changed on the screen.
    nodes : int
        Elements of the document afterwards.
    """

    slowest: float
    frame: float
    shown: float
    nodes: int


def chromium() -> str | None:
    """The browser of this machine, if there is one."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of its own, ended afterwards.

    Raises
    ------
    RuntimeError
        If there is none on this machine.
    """
    path = chromium()
    if path is None:
        raise RuntimeError("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def probed(browser: Browser) -> Page:
    """A page of a fresh profile, with the probe in whatever it shows."""
    page = browser.new_context(viewport=SIZE, locale="en-US").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(PROBE)
    return page


def settled(page: Page) -> None:
    """Wait until a screen is there and nothing is on its way any more."""
    page.evaluate("bench.settled()")


def act(page: Page, do: Callable[[], object], within: str = ".am-app") -> Felt:
    """Do something as a person, wait until it shows within a part of the page, and say how it felt."""
    page.evaluate("scope => bench.begin(scope)", within)
    do()
    return Felt(**page.evaluate("bench.felt()"))
