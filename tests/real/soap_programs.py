"""How each SOAP server of the conformance suite is made and started; each is a child process on loopback."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.contract.raw_agency import unused_port

SERVERS = Path(__file__).parent / "servers"
WSDL = SERVERS / "layanan.wsdl"
JARS = Path("/usr/share/java")
NUSOAP = Path("/usr/share/php/nusoap")
PATIENCE = 30.0
"""Seconds, far more than any of them takes."""

AXIS = """
axis axis-jaxrpc axis-saaj jaxrpc saaj commons-logging commons-discovery wsdl4j javax.mail javax.activation
"""
JAXWS = """
jaxws-api jaxws-rt jaxb-api jaxb-impl jaxb-core jaxb-runtime saaj saaj-impl streambuffer stax-ex gmbal woodstox-core
woodstox-core-lgpl stax2-api mimepull FastInfoset istack-commons-runtime txw2 geronimo-annotation-1.3-spec
javax.activation asm xml-resolver
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that listens, and the WSDL it goes by."""

    url: str
    wsdl: Path = WSDL


Program = Callable[[str], str]
Start = Callable[[Program, Path], AbstractContextManager[Running]]


@contextmanager
def listening(command: Sequence[str], port: int, folder: Path) -> Iterator[None]:
    """Run a command until the block ends; it is ready when something listens at its port."""
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(port, server, folder)
            yield
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE)


def wait_for(port: int, server: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"{server.args} did not start: {(folder / 'server.log').read_text(errors='replace')[-2000:]}")


def run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def fetched(address: str, folder: Path) -> Path:
    """Return a server's own WSDL, pinned with the schema that it imports."""
    text = httpx.get(address, timeout=PATIENCE).raise_for_status().text
    for number, imported in enumerate(re.findall(r'schemaLocation="(http[^"]+)"', text)):
        schema = folder / f"{number}.xsd"
        schema.write_bytes(httpx.get(imported, timeout=PATIENCE).raise_for_status().content)
        text = text.replace(imported, schema.name)
    path = folder / "fetched.wsdl"
    path.write_text(re.sub(r"^<\?xml[^>]*\?>", "", text), "utf-8")
    return path


def jars(names: str, needed: str) -> str:
    """Return a class path of Debian's jars, those that are there; without `needed` the test is skipped."""
    found = [JARS / f"{name}.jar" for name in names.split() if (JARS / f"{name}.jar").exists()]
    if JARS / f"{needed}.jar" not in found:
        pytest.skip(f"{needed}.jar is not installed")
    return ":".join(map(str, found))


def compiled(program: Program, name: str, path: str, folder: Path, *options: str) -> None:
    shutil.copytree(SERVERS / name, folder, dirs_exist_ok=True)
    sources = sorted(source.name for source in folder.glob("*.java"))
    run([program("javac"), "-nowarn", *options, "-cp", path, "-d", ".", *sources], folder)


def php(program: Program, module: str) -> str:
    """Return PHP with a module, or skip."""
    found = program("php")
    if module not in subprocess.run([found, "-m"], capture_output=True, text=True, check=True).stdout.split():
        pytest.skip(f"PHP has no {module} extension")
    return found


def with_php(script: str) -> Start:
    """Return what serves a script with PHP's built-in web server and its soap extension."""

    @contextmanager
    def start(program: Program, folder: Path) -> Iterator[Running]:
        command, port = php(program, "soap"), unused_port()
        shutil.copy(WSDL, folder)
        shutil.copy(SERVERS / script, folder)
        with listening([command, "-S", f"127.0.0.1:{port}", "-t", "."], port, folder):
            yield Running(url=f"http://127.0.0.1:{port}/{script}")

    return start


@contextmanager
def nusoap(program: Program, folder: Path) -> Iterator[Running]:
    command, port = php(program, "xml"), unused_port()
    if not NUSOAP.exists():
        pytest.skip("nuSOAP is not installed")
    (folder / "nusoap").mkdir()
    for source in NUSOAP.glob("*.php"):
        (folder / "nusoap" / source.name).write_text(repaired(source.read_text("latin-1")), "latin-1")
    shutil.copy(SERVERS / "nusoap.php", folder)
    with listening([command, "-S", f"127.0.0.1:{port}", "-t", "."], port, folder):
        url = f"http://127.0.0.1:{port}/nusoap.php"
        yield Running(url=url, wsdl=fetched(f"{url}?wsdl", folder))


def repaired(source: str) -> str:
    """Return PHP of version 4 with constructors that version 8 knows: they bore their class's name."""
    classes = set(re.findall(r"^class (\w+)", source, re.MULTILINE))

    def renamed(found: re.Match[str]) -> str:
        return f"{found[1]}__construct(" if found[2] in classes else found[0]

    return re.sub(r"(\bfunction\s+|\bparent::)(\w+)\s*\(", renamed, source)


@contextmanager
def soap_lite(program: Program, folder: Path) -> Iterator[Running]:
    perl, port = program("perl"), unused_port()
    modules = ["-MSOAP::Transport::HTTP", "-MHTTP::Daemon"]
    if subprocess.run([perl, *modules, "-e", "1"], capture_output=True, check=False).returncode:
        pytest.skip("SOAP::Lite or HTTP::Daemon is not installed")
    with listening([perl, str(SERVERS / "lite.pl"), str(port)], port, folder):
        yield Running(url=f"http://127.0.0.1:{port}/")


@contextmanager
def gsoap(program: Program, folder: Path) -> Iterator[Running]:
    port = unused_port()
    run([program("wsdl2h"), "-c", "-o", "layanan.h", str(WSDL)], folder)
    run(
        [program("soapcpp2"), "-c", "-S", "-L", "-x", "-I/usr/share/gsoap/import:/usr/share/gsoap", "layanan.h"], folder
    )
    sources = [str(SERVERS / "layanan.c"), "soapC.c", "soapServer.c"]
    run([program("gcc"), "-w", "-I.", "-o", "layanan", *sources, "-lgsoap"], folder)
    with listening(["./layanan", str(port)], port, folder):
        yield Running(url=f"http://127.0.0.1:{port}/")


@contextmanager
def axis(program: Program, folder: Path) -> Iterator[Running]:
    java, path, port = program("java"), jars(AXIS, "axis"), unused_port()
    compiled(program, "axis", path, folder, "--release", "8", "-g:none")
    main = "org.apache.axis.transport.http.SimpleAxisServer"
    with listening([java, "-cp", f".:{path}", main, "-p", str(port)], port, folder):
        url = f"http://127.0.0.1:{port}/axis/services/Layanan"
        yield Running(url=url, wsdl=fetched(f"{url}?wsdl", folder))


@contextmanager
def jax_ws(program: Program, folder: Path) -> Iterator[Running]:
    java, path, port = program("java"), jars(JAXWS, "jaxws-rt"), unused_port()
    compiled(program, "jaxws", path, folder)
    url = f"http://127.0.0.1:{port}/layanan"
    with listening([java, "-cp", f".:{path}", "Layanan", url], port, folder):
        yield Running(url=url, wsdl=fetched(f"{url}?wsdl", folder))


@contextmanager
def spyne(_program: Program, folder: Path) -> Iterator[Running]:
    port = unused_port()
    with listening([sys.executable, str(SERVERS / "layanan_spyne.py"), str(port)], port, folder):
        url = f"http://127.0.0.1:{port}/"
        yield Running(url=url, wsdl=fetched(f"{url}?wsdl", folder))


@contextmanager
def node_soap(program: Program, folder: Path) -> Iterator[Running]:
    node, npm, port = program("node"), program("npm"), unused_port()
    shutil.copytree(SERVERS / "node", folder, dirs_exist_ok=True)
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    with listening([node, "server.js", str(WSDL), str(port)], port, folder):
        yield Running(url=f"http://127.0.0.1:{port}/layanan")
