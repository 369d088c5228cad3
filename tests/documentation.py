"""Runs the commands that README.md and every other page print, as they are printed there, and compares what they print.

Commands are the lines after `$ ` in ```console blocks, each with the output below it, and the lines of ```sh blocks. They run in a copy of
the checkout, page by page; what a command exports holds for the rest of its page. `…` stands for any lines, or for any text in a line.
A server (SERVERS) runs until the end of its page. A command that cannot run here is in EXCUSED, with the reason.

A block with a file's name after its language (```yaml callback.yaml) is that file, and is written before the next command. With a `+` after the
name, its lines are added to the end of the file.

Commands in `backticks` do not run: their subcommands and options have to be in the program's `--help`.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).absolute()
# Histories, not instructions.
NOT_PAGES = {"CHANGELOG.md"}
# Where nothing of the checkout is.
NOT_COPIED = {".git", ".aws-sam", "target", "__pycache__", "corpus", "artifacts"}

ACCOUNT = "needs an AWS account"
MEASURES = "measures for minutes, on a machine with nothing else to do"
# What does not run here, as a pattern of the whole command, and why.
EXCUSED = {
    r"aws .*": f"{ACCOUNT} and the AWS CLI",
    r"again .*": ACCOUNT,
    r"set_parameter \w+=.*": ACCOUNT,
    r"(eval \"\$\(|query=\$\(|version=\$\()aws .*": ACCOUNT,
    r"for case in .*": ACCOUNT,
    r"(python3 -m venv|~/casebridge-tools/bin/pip install) .*": "installs for the reader",
    r"FlowFunction=\S+ .*": "has the reader's own ARNs in it",
    r"sam deploy.*": ACCOUNT,
    r"(MAPPING=\S+ )?sam build": "builds for arm64; the stage `sam-build` builds for this processor",
    r"cargo casebridge pull --domain-id …": f"{ACCOUNT}; the stage `workflow` pulls from the emulator",
    r"cargo model( --without token-forgotten)?": "searches millions of states; the stage `model` runs it",
    r"cargo simulate --seeds 10000( --ledger)?": "takes minutes; the stage `simulate` runs 500 seeds of each",
    r"cargo simulate --backlog 5000( --ledger)?": "takes minutes; the stage `soak` runs it",
    r"cargo side-by-side( --svg \S+)?": MEASURES,
    r"cargo side-by-side guard": "runs in the stage `instructions`",
    r"cargo bench -p bench": MEASURES,
    r"\./test.*": "runs this",
    r"cargo install --locked cargo-fuzz": "installs for the reader; building it takes minutes",
    r"(fuzz/run|cd fuzz|RUSTC_BOOTSTRAP=1 cargo fuzz) ?.*": "needs cargo-fuzz, and runs for minutes",
}
# Commands that stay up, and the port that they answer at.
SERVERS = {
    r"cargo run -p cases-emulator -- .*--port 4599": 4599,
    r"cargo lambda watch.*": 9000,
}
# Of an excused command the output keeps its form, figures aside: that of a small run, which has the same rows.
SMALL_RUNS = {
    "cargo simulate --seeds 10000": "--seeds 25",
    "cargo simulate --seeds 10000 --ledger": "--seeds 25 --ledger",
    "cargo simulate --backlog 5000": "--backlog 300",
    "cargo simulate --backlog 5000 --ledger": "--backlog 300 --ledger",
}
# What a page asks its reader to change before a command: text in a file, and what stands there instead.
CHANGES = {
    ("README.md", "cargo casebridge check"): {
        "mapping.yaml": [
            ("Order {{ $.detail.order.id | upper }} failed:", "Order {{ $.detail.order.id | uper }} failed:"),
            ("Order total: $.detail.order.amount", "Order totl: $.detail.order.amount"),
        ]
    },
    ("docs/mapping.md", "cargo casebridge check --mapping callback.yaml"): {"callback.yaml": [("| join('; ')", "| jion('; ')")]},
}
# What differs from run to run.
VARIES = [(re.compile(r"· \d+\.\d+ s$", re.M), "· N s")]

RUN = ["cargo", "run", "--locked", "--quiet", "--package"]
# The programs whose words are checked, with what runs them.
PROGRAMS = {
    "cargo casebridge": ["cargo", "casebridge"],
    "cargo simulate": [*RUN, "simulate", "--"],
    "cargo side-by-side": ["cargo", "side-by-side"],
    "cargo run -p cases-emulator --": ["cargo", "run", "-p", "cases-emulator", "--"],
    "cargo lambda": ["cargo", "lambda"],
    "sam": ["sam"],
    "./test": ["./test"],
}

# Settings that a page does not print are none of its reader's.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CASEBRIDGE_"))} | {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # The tools that `./test tools` installs come first.
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "CARGO_TARGET_DIR": str(TARGET),
    # What Cargo says of its own work is no part of what a page shows.
    "CARGO_TERM_QUIET": "true",
    "NO_COLOR": "1",
}

# Seconds for one command; the first of `cargo lambda` waits for a build.
PATIENCE = 300


@dataclass
class Command:
    """A command of a page, and the output below it; None where the page shows none."""

    page: str
    line: int
    text: str
    output: list[str] | None = None
    # The files that the page shows before the command: the name, the mode and the text.
    files: list[tuple[str, str, str]] = field(default_factory=list)

    def __str__(self):
        return f"{self.page}:{self.line}: $ {self.text}"

    def one_of(self, patterns):
        """The pattern that the command is of."""
        return next((pattern for pattern in patterns if re.fullmatch(pattern, self.text, re.S)), None)


@dataclass
class Page:
    name: str
    commands: list[Command] = field(default_factory=list)
    # Commands in backticks: the line and the text.
    mentioned: list[tuple[int, str]] = field(default_factory=list)


def main():
    pages = [read(path) for path in sorted(REPOSITORY.rglob("*.md")) if is_page(path.relative_to(REPOSITORY))]
    faults = [*stale(pages), *(fault for page in pages for fault in unknown_words(page))]
    if not faults:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder).resolve() / "casebridge"
            shutil.copytree(REPOSITORY, copy, ignore=lambda _, names: NOT_COPIED & set(names))
            checkout = Checkout(copy)
            for page in pages:
                if page.name in sys.argv[1:] or not sys.argv[1:]:
                    faults += checkout.run(page)
    for fault in faults:
        print(f"\n{fault}")
    if faults:
        sys.exit(1)
    commands = [command for page in pages for command in page.commands]
    excused = [command for command in commands if command.one_of(EXCUSED)]
    print(f"\n{len(commands) - len(excused)} commands print what the pages show, and {len(excused)} do not run here:")
    for pattern, reason in EXCUSED.items():
        print(f"  {next(command.text for command in excused if command.one_of([pattern])).splitlines()[0]}: {reason}")


def is_page(path):
    return not NOT_COPIED & set(path.parts) and path.name not in NOT_PAGES


# ── pages ──


def read(path):
    page = Page(str(path.relative_to(REPOSITORY)))
    language, written, block, first = None, None, [], 1
    files = []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), "```"], 1):
        if not (fence := re.match(r"\s*```(\S*) *(\S*)( \+)?", line)):
            block.append(line)
            continue
        if language is None:
            page.mentioned += inline(first, "\n".join(block))
            language, written = fence[1], fence
        else:
            commands = []
            if written[2]:
                files.append((written[2], "a" if written[3] else "w", "".join(f"{line}\n" for line in block)))
            elif language == "console":
                commands = session(page.name, first, block)
            elif language == "sh":
                commands = script(page.name, first, block)
            if commands:
                commands[0].files, files = files, []
            page.commands += commands
            language = None
        block, first = [], number + 1
    return page


def inline(first, text):
    """What stands in `backticks` in prose, each with its line; it may go over the end of one."""
    for code in re.finditer(r"(`+)(.+?)\1(?!`)", text, re.S):
        yield first + text.count("\n", 0, code.start()), " ".join(code[2].split())


def session(page, first, block):
    """Commands with their output, of a ```console block."""
    commands = []
    for number, line in enumerate(block, first):
        if line.startswith("$ "):
            commands.append(Command(page, number, without_comment(line[2:]), []))
        elif commands and commands[-1].text.endswith("\\"):
            commands[-1].text += f"\n{line}"
        elif commands:
            commands[-1].output.append(line)
    return commands


def script(page, first, block):
    """Commands of a ```sh block: each begins at the margin, and has the lines that are indented below it."""
    commands = []
    for number, line in enumerate(block, first):
        if not line.strip() or line.startswith("#"):
            continue
        if commands and (line[0].isspace() or line in ("}", "done", "fi")):
            commands[-1].text += f"\n{line}"
        else:
            commands.append(Command(page, number, without_comment(line)))
    return commands


def without_comment(line):
    return re.split(r"\s+#\s", line)[0].rstrip()


def stale(pages):
    """The entries of the lists above that no page has a command for."""
    commands = [command for page in pages for command in page.commands]
    for name, patterns in {"EXCUSED": EXCUSED, "SERVERS": SERVERS}.items():
        for pattern in patterns:
            if not any(command.one_of([pattern]) for command in commands):
                yield f"tests/documentation.py: {name} has `{pattern}`, and no page prints such a command"
    for text in SMALL_RUNS:
        if not any(command.text == text and command.output for command in commands):
            yield f"tests/documentation.py: SMALL_RUNS has `{text}`, and no page prints it with its output"
    for place in CHANGES:
        if not any((command.page, command.text) == place for command in commands):
            yield f"tests/documentation.py: CHANGES has `{place[1]}` of {place[0]}, which does not print it"


# ── words ──


def unknown_words(page):
    """The commands that name a subcommand or an option which their program does not have."""
    printed = [(command.line, command.text) for command in page.commands]
    for line, text in printed + page.mentioned:
        for part in re.split(r"&&|\|\||[|;>]|\n", text):
            part = part.strip().replace('"', "").replace("'", "")
            program = next((name for name in PROGRAMS if f"{part} ".startswith(f"{name} ")), None)
            if program and (unknown := unknown_word(program, part.removeprefix(program))):
                yield f"{page.name}:{line}: `{text}`: `{' '.join([program, *unknown[0]])} --help` does not list `{unknown[1]}`"


def unknown_word(program, arguments):
    """The first word that the program's help does not list, with the subcommand that it is of; a word after an option may be its value."""
    path, begun = (), False
    for word in arguments.split():
        described = help_of(program, path)
        if word.startswith("-"):
            begun = True
            switch = re.escape(word.split("=")[0])
            if not re.search(rf"(?<![\w-]){switch}(?![\w-])", described):
                return path, word
        elif program == "./test":
            # STAGE and … stand for the name of one.
            if word not in ("STAGE", "…") and not re.search(rf"^  \+?{re.escape(word)} ", described, re.M):
                return path, word
        elif not begun and (names := subcommands(described)):
            if word not in names:
                return path, word
            path = (*path, word)
    return None


def subcommands(described):
    """The commands that a help text lists; it is one of clap, or of click."""
    listed = re.search(r"^ *Commands:\n((?: +\S.*\n| *\n)*)", described, re.M)
    return set(re.findall(r"^ {2,4}(\w[\w-]*)", listed[1], re.M)) if listed else set()


@cache
def help_of(program, path):
    command = [*PROGRAMS[program], *path, "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"`{shlex.join(command)}` ended with {done.returncode}:\n{done.stdout}")
    return re.sub(r"\x1b\[[\d;]*m", "", done.stdout)


# ── runs ──


class Checkout:
    """A copy of the repository, where commands run."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, page):
        """Runs a page's commands; the faults."""
        faults = []
        with contextlib.ExitStack() as servers, tempfile.NamedTemporaryFile("r+") as exported:
            for command in page.commands:
                fault = self.run_one(command, exported.name, servers)
                if fault:
                    faults.append(f"{command}\n{fault}")
        return faults

    def run_one(self, command, exported, servers):
        started = time.monotonic()
        for name, mode, text in command.files:
            with (self.folder / name).open(mode, encoding="utf-8") as file:
                file.write(text)
        if command.text in SMALL_RUNS:
            _, printed = self.shell(shlex.join([*PROGRAMS["cargo simulate"], *shlex.split(SMALL_RUNS[command.text])]), exported)
            fault = difference(form(command.output), form(printed))
        elif command.one_of(EXCUSED):
            return None
        elif pattern := command.one_of(SERVERS):
            server = servers.enter_context(Server(self, command, SERVERS[pattern]))
            fault = server.fault
        else:
            with self.changed(CHANGES.get((command.page, command.text), {})):
                status, printed = self.shell(command.text, exported)
            fault = difference(command.output or ["…"], printed)
            # What a page shows to fail, fails; everything else does not.
            fails = any(line.startswith("error") for line in command.output or [])
            if fault is None and (status != 0) != fails:
                fault = f"it ended with {status}:\n{printed_text(printed)}"
        print(f"{str(command).splitlines()[0]} ({time.monotonic() - started:.1f} s)", flush=True)
        return fault

    def shell(self, text, exported):
        """The exit status and the lines of a command, in an environment that the page's commands share."""
        script = f". {exported}\n{text}\nstatus=$?\nexport -p >{exported}\nexit $status"
        with subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                printed, _ = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                printed, _ = process.communicate()
                return "no exit status", [*lines_of(printed), f"(stopped after {PATIENCE} s)"]
        return process.returncode, lines_of(printed)

    @contextlib.contextmanager
    def changed(self, files):
        """The files with other text in them, for a while."""
        before = {name: (self.folder / name).read_text(encoding="utf-8") for name in files}
        for name, changes in files.items():
            text = before[name]
            for old, new in changes:
                assert text.count(old) == 1, f"tests/documentation.py changes `{old}` in {name}, where it stands {text.count(old)} times"
                text = text.replace(old, new)
            (self.folder / name).write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            for name, text in before.items():
                (self.folder / name).write_text(text, encoding="utf-8")


class Server:
    """A command that stays up, from the moment that its port answers and it has printed what the page shows."""

    def __init__(self, checkout, command, port):
        self.checkout, self.command, self.port = checkout, command, port

    def __enter__(self):
        if self.answers():
            sys.exit(f"{self.command}\nport {self.port} is in use, and the page needs it: stop what listens there")
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            # In place of the shell, so that signals reach it.
            ["bash", "-c", f"exec {self.command.text}"],
            cwd=self.checkout.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        end = time.monotonic() + PATIENCE
        while True:
            ended = self.process.poll() is not None
            self.fault = difference(self.command.output or ["…"], self.printed())
            if self.fault is None and self.answers():
                return self
            if ended or time.monotonic() > end:
                self.fault = f"it {'ended' if ended else f'does not answer at port {self.port}'}:\n{self.fault or printed_text(self.printed())}"
                return self
            time.sleep(0.1)

    def answers(self):
        # `cargo lambda` listens on both, and asks the second.
        for address in ("127.0.0.1", "::1"):
            with contextlib.suppress(OSError), socket.create_connection((address, self.port), timeout=1):
                return True
        return False

    def printed(self):
        self.log.seek(0)
        return lines_of(self.log.read())

    def __exit__(self, *_):
        # What it has started may be of another group.
        started = descendants(self.process.pid)
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        for pid in (self.process.pid, *started):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


def descendants(pid):
    """The processes that a process has started, and those that they have."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True, check=True).stdout
    children = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = list(children.get(pid, []))
    for child in found:
        found += children.get(child, [])
    return found


# ── output ──


def lines_of(printed):
    return re.sub(r"\x1b\[[\d;]*m", "", printed.decode(errors="replace")).splitlines()


def printed_text(lines):
    return "\n".join(f"  | {line}" for line in lines)


def form(lines):
    """The lines without their figures, whose number of digits moves what stands beside them."""
    return [" ".join(re.sub(r"\d[\d,.]*", "N", line).split()) for line in lines]


def difference(shown, printed):
    """None where the lines that were printed are those that are shown; otherwise the first line that is not."""
    steady = ["\n".join(lines) for lines in (shown, printed)]
    for pattern, replacement in VARIES:
        steady = [pattern.sub(replacement, text) for text in steady]
    shown, printed = (text.splitlines() for text in steady)
    # The lines between two `…`, each to be found below the one before; the first is at the top, the last at the bottom.
    runs, run = [], []
    for line in shown:
        if line.strip() == "…":
            runs.append(run)
            run = []
        else:
            run.append(line)
    runs.append(run)
    at = 0
    for index, run in enumerate(runs):
        first, last = index == 0, index == len(runs) - 1
        starts = range(at, len(printed) - len(run) + 1)
        if first:
            starts = starts[:1]
        if last:
            starts = [start for start in starts if start + len(run) == len(printed)]
        start = next((start for start in starts if all(map(same, run, printed[start:]))), None)
        if start is None:
            rest = printed[at : at + 60]
            more = [f"(and {len(printed) - at - 60} lines more)"] if len(printed) > at + 60 else []
            return f"the page shows\n{printed_text(run)}\nand this was printed{'' if first else ' from there on'}:\n{printed_text(rest + more)}"
        at = start + len(run)
    return None


def same(shown, printed):
    return re.fullmatch(".*".join(map(re.escape, shown.rstrip().split("…"))), printed.rstrip()) is not None


if __name__ == "__main__":
    main()
