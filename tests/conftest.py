"""What the tests of several rooms need."""

from __future__ import annotations

import asyncio
import datetime
import os
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from automl_jupyter.client import Client
    from automl_jupyter.schemas import Job, ModelRef

# Whichever test imports MLflow first decides how much it says in all tests of the process.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

LONGEST_FIRST = (
    "test_benchmarks.py",
    "survival",
    "notebook",
    "ui",
    "server",
    "services",
    "cli",
    "backends",
    "client",
    "data",
    "engine",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that processes which share the files end at about the same time."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        room = item.path.relative_to(here).parts[0]
        return LONGEST_FIRST.index(room) if room in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


@dataclass(frozen=True)
class Certificates:
    """An authority of its own and one certificate that it signed, for every side of a connection."""

    ca: Path
    cert: Path
    key: Path

    @property
    def options(self) -> list[str]:
        """What Dask's scheduler and workers take."""
        return [f"--tls-ca-file={self.ca}", f"--tls-cert={self.cert}", f"--tls-key={self.key}"]

    def answers(self, port: int) -> bool:
        """Whether something listens on a port of this machine that knows the authority."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = False
        context.load_cert_chain(self.cert, self.key)
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as plain, context.wrap_socket(plain):
                return True
        except OSError:
            return False


def _signed(
    name: str, public: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey, authority: bool
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    made = Certificates(*(folder / f"{name}.pem" for name in ("ca", "cert", "key")))
    made.ca.write_bytes(_signed("ca", authority.public_key(), authority, True))
    made.cert.write_bytes(_signed("node", own.public_key(), authority, False))
    made.key.write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with ``tables/`` and ``nasty/`` that AUTOML_TEST_DATA names."""
    folder = os.environ.get("AUTOML_TEST_DATA")
    if not folder:
        pytest.skip("AUTOML_TEST_DATA names no folder with tables/ and nasty/")
    return Path(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium.

    Playwright's event loop runs in the thread of the tests for as long as it is open, and then no other test
    could run one: hence no longer than for the tests of one file.
    """
    from benchmarks.browsing import browsing, chromium

    if chromium() is None:
        pytest.skip("no Chromium is installed")
    with browsing() as running:
        yield running


@pytest.fixture(scope="session")
def flights_csv() -> str:
    """400 flights, late where the departure is late in the day."""
    dice = random.Random(0)
    lines = ["hour,carrier,late"]
    for _ in range(400):
        hour = dice.randrange(5, 24)
        late = hour + dice.gauss(0, 4) > 15
        lines.append(f"{hour},{dice.choice(['UA', 'AA', 'B6'])},{'yes' if late else 'no'}")
    return "\n".join(lines) + "\n"


def _has_model(job: Job) -> bool:
    return any(trial.score is not None and not trial.baseline for trial in job.leaderboard)


@pytest.fixture(scope="session")
def until_model() -> Callable[[Client, Job], ModelRef]:
    """Stop a job as soon as it has a model, however long that takes on a busy machine."""

    def stopped(client: Client, job: Job) -> ModelRef:
        while not _has_model(client.job(job.id)):
            time.sleep(0.3)
        client.stop(job)
        job = client.wait(job, timeout=60)
        assert job.model is not None, job.error
        return job.model

    return stopped


@pytest.fixture
def stopped_when_ready(client: Client) -> Iterator[None]:
    """Stop the next job that starts as soon as it has a model, however long that takes on a busy machine."""
    known = {job.id for job in client.jobs().items}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.3):
            for job in client.jobs(limit=5).items:
                if job.id not in known and job.state == "running" and _has_model(job):
                    known.add(job.id)
                    client.stop(job)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def nothing_runs(client: Client) -> Iterator[None]:
    """End what a test leaves running."""
    from automl_jupyter.schemas import FINAL_STATES

    yield
    for job in client.jobs().items:
        if job.state not in FINAL_STATES:
            client.cancel(job)
            client.wait(job, timeout=60)


@dataclass(frozen=True)
class Proxy:
    """A reverse proxy that takes one request on each connection and hands all else on as it comes.

    Attributes
    ----------
    target : callable
        The host and port that a path is handed on to; None where there is nobody.
    said : bytes, optional
        The `Host` that is said there; what the browser says unless given.
    """

    target: Callable[[str], tuple[str, int] | None]
    said: bytes | None = None

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand one request on, and its answer back, until one side ends."""
        with suppress(OSError, EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            if not re.search(rb"(?mi)^upgrade:", head):
                head = re.sub(rb"(?mi)^connection:.*\r\n", b"", head)
                head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            if self.said is not None:
                head = re.sub(rb"(?mi)^host:.*?(?=\r\n)", b"Host: " + self.said, head)
            place = self.target(head.split(b" ", 2)[1].decode("ascii"))
            if place is None:
                return
            answer, there = await asyncio.open_connection(*place)
            with closing(there):
                there.write(head)
                pairs = ((reader, there), (answer, writer))
                ways = {asyncio.create_task(self.hand_on(*pair)) for pair in pairs}
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()

    @staticmethod
    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy until one side ends."""
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()


@contextmanager
def proxying(proxy: Proxy, listener: socket.socket) -> Iterator[None]:
    """Let a proxy take what comes on a socket, beside the test."""
    over = threading.Event()

    async def serve() -> None:
        # The loop itself knows its tasks weakly: whoever waits for an answer when the browser has gone
        # would be forgotten, with connections that nobody has closed.
        taken: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(proxy.take(reader, writer))
            taken.add(task)
            task.add_done_callback(taken.discard)
            task.add_done_callback(lambda _: writer.close())

        server = await asyncio.start_server(begin, sock=listener)
        await asyncio.to_thread(over.wait)
        server.close()
        # Connections that are still open are dropped.
        while taken:
            for task in taken:
                task.cancel()
            await asyncio.wait(taken)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


Pass = Callable[..., str]


@pytest.fixture
def behind() -> Iterator[Pass]:
    """Put a reverse proxy on loopback before something, and say where it listens."""
    with ExitStack() as stack:

        def begin(
            target: Callable[[str], tuple[str, int] | None], *, at: str = "127.0.0.1", said: str | None = None
        ) -> str:
            family, written = (socket.AF_INET6, f"[{at}]") if ":" in at else (socket.AF_INET, at)
            listener = socket.create_server((at, 0), family=family)
            stack.enter_context(proxying(Proxy(target, said.encode() if said else None), listener))
            return f"{written}:{listener.getsockname()[1]}"

        yield begin
