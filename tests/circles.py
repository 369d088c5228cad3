#!/usr/bin/env python3
"""No module of a crate uses one that uses it, neither directly nor by way of others.

Siblings are compared, at each level of the tree: `field` and `value` of one crate, `pattern::compile` and `pattern::condition` of one
module. What is below a module belongs to it; a child may use its parent. Code for tests is left out.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATH = re.compile(r"\b(?:crate|super|self)(?:::[a-z_][a-z_0-9]*)+|\b(?:crate|super|self)(?:::super)*::\{")


def modules(source: Path, path: tuple[str, ...] = ()):
    """Yields each module of a crate: its path and its file."""
    yield path, source
    folder = source.parent if source.name in ("lib.rs", "main.rs", "mod.rs") else source.with_suffix("")
    text = without_tests(source.read_text())
    for name in re.findall(r"^\s*(?:pub(?:\([^)]*\))? )?mod ([a-z_0-9]+);", text, re.M):
        for file in (folder / f"{name}.rs", folder / name / "mod.rs"):
            if file.exists():
                yield from modules(file, (*path, name))


def without_tests(text: str) -> str:
    """The text without comments, texts and test modules."""
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'"(?:\\.|[^"\\])*"', '""', text)
    text = re.sub(r"#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))? )?mod [a-z_0-9]+;", "", text)
    end = re.search(r"^#\[cfg\(test\)\]\s*mod [a-z_0-9]+ \{", text, re.M)
    return text[: end.start()] if end else text


def expand(text: str):
    """Yields every path that a file names, with the braces of `use` taken apart."""
    for statement in re.findall(r"\buse ([^;]+);", text):
        yield from branches(re.sub(r"\s+", " ", statement))
    yield from (match.group() for match in PATH.finditer(text))


def branches(tree: str):
    tree = tree.strip()
    if "{" not in tree:
        yield re.sub(r" as \w+$", "", tree)
        return
    head, rest = tree.split("{", 1)
    depth, item = 1, ""
    for character in rest:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0 or (depth == 1 and character == ","):
            if item.strip():
                yield from branches(head + item.strip())
            item = ""
            if depth == 0:
                return
        else:
            item += character


def resolve(name: str, module: tuple[str, ...], known: set[tuple[str, ...]]):
    """The module that a path leads to, or `None` for what is of another crate."""
    parts = [part for part in name.split("::") if part]
    if parts[0] == "crate":
        here, parts = (), parts[1:]
    elif parts[0] in ("self", "super"):
        here = module
        while parts and parts[0] in ("self", "super"):
            here, parts = (here[:-1] if parts[0] == "super" else here), parts[1:]
    elif (*module, parts[0]) in known:
        here = module
    else:
        return None
    for part in parts:
        if (*here, part) not in known:
            break
        here = (*here, part)
    return here


def circles(source: Path):
    """Yields each circle as a list of modules, the first repeated at its end."""
    files = dict(modules(source))
    known = set(files)
    uses: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for module, file in files.items():
        for name in expand(without_tests(file.read_text())):
            used = resolve(name, module, known)
            if used is None:
                continue
            # The level at which the two part: there they are siblings.
            level = 0
            while level < min(len(module), len(used)) and module[level] == used[level]:
                level += 1
            if level < len(module) and level < len(used):
                uses.setdefault(module[: level + 1], set()).add(used[: level + 1])
    found = set()
    for start in sorted(uses):
        stack = [(start, [start])]
        seen = set()
        while stack:
            here, way = stack.pop()
            for used in sorted(uses.get(here, ())):
                if used == start and frozenset(way) not in found:
                    found.add(frozenset(way))
                    yield [*way, start]
                elif used not in seen:
                    seen.add(used)
                    stack.append((used, [*way, used]))


def main() -> int:
    members = [ROOT, *sorted(path.parent for path in ROOT.glob("crates/*/Cargo.toml"))]
    count = 0
    for member in members:
        name = tomllib.loads((member / "Cargo.toml").read_text())["package"]["name"]
        for source in (member / "src/lib.rs", member / "src/main.rs"):
            if source.exists():
                for circle in circles(source):
                    count += 1
                    print(f"{name}: " + " -> ".join("::".join(module) for module in circle))
    if count:
        print(f"\n{count} circles of modules: move what both sides need below them")
    return bool(count)


if __name__ == "__main__":
    sys.exit(main())
