"""Reads statements for Redshift with sqlfluff's grammar. See check-redshift-grammar."""

import hashlib
import os
import pathlib
import re
import sys
from concurrent.futures import ProcessPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
GAPS = ROOT / "scripts" / "redshift-grammar-gaps"
# What acca sent while the tests ran.
EMITTED = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "tmp" / "redshift-statements"


def blocks(text):
    """The expectations of a case file that are Redshift's SQL."""
    return re.findall(r"^```expect (?:explain|sql) \S+ redshift[^\n]*\n(.*?)^```", text, re.S | re.M)


def statements_of(block):
    """The statements of a block, without the titles of steps."""
    kept, quote, current = [], False, ""
    for letter in re.sub(r"^-- [^\n]*$", "", block, flags=re.M):
        if letter == "'":
            quote = not quote
        if letter == ";" and not quote:
            kept.append(current)
            current = ""
        else:
            current += letter
    kept.append(current)
    return [statement.strip() for statement in kept if statement.strip()]


def collected(folders):
    found = []
    for path in sorted((ROOT / "tests/compiler/cases").rglob("*.md")):
        for block in blocks(path.read_text()):
            found += [(str(path.relative_to(ROOT)), statement) for statement in statements_of(block)]
    accepted = ROOT / "tests/compiler/redshift/statements/accepted.txt"
    for line in accepted.read_text().splitlines():
        if line and not line.startswith("#"):
            found.append((str(accepted.relative_to(ROOT)), line))
    for folder in [EMITTED, *folders]:
        for path in sorted(pathlib.Path(folder).rglob("*.sql")):
            found.append((str(path), path.read_text()))
    # What does not read as SQL by its own account: an expectation that is an error message.
    return [(place, sql) for place, sql in found if re.match(r"(?i)\W*\w+", sql)]


def unread(item):
    from sqlfluff.core import FluffConfig, Linter

    place, sql = item
    sys.setrecursionlimit(20_000)
    config = FluffConfig(overrides={"dialect": "redshift", "max_parse_depth": 3_000})
    parsed = Linter(config=config).parse_string(sql + ";\n")
    problems = [str(problem.desc()) for problem in parsed.violations]
    return (place, sql, problems[0]) if problems else None


class Known:
    """Statements that this version of the grammar has read: it takes a second for each of the longer ones."""

    def __init__(self):
        from sqlfluff import __version__

        self.path = pathlib.Path(sys.prefix) / f"read-{__version__}"
        self.held = set(self.path.read_text().split()) if self.path.exists() else set()

    @staticmethod
    def name(sql):
        return hashlib.sha256(sql.encode()).hexdigest()[:32]

    def keep(self, sqls):
        with self.path.open("a") as file:
            file.writelines(self.name(sql) + "\n" for sql in sqls)


def main():
    items = collected(sys.argv[1:])
    known_texts = Known()
    gaps = [line for line in GAPS.read_text().splitlines() if line and not line.startswith("#")] if GAPS.exists() else []
    with ProcessPoolExecutor() as pool:
        asked = [item for item in items if Known.name(item[1]) not in known_texts.held]
        failed = [result for result in pool.map(unread, asked, chunksize=8) if result]
    wrong = {sql for _, sql, _ in failed}
    known_texts.keep(sql for _, sql in asked if sql not in wrong)
    known = [(place, sql, problem) for place, sql, problem in failed if any(gap in " ".join(sql.split()) for gap in gaps)]
    new = [result for result in failed if result not in known]
    for place, sql, problem in new:
        print(f"{place}: {problem}\n    {' '.join(sql.split())[:300]}")
    stale = [gap for gap in gaps if not any(gap in " ".join(sql.split()) for _, sql, _ in failed)]
    for gap in stale:
        print(f"scripts/redshift-grammar-gaps: nothing needs '{gap}' any more")
    emitted = len(list(EMITTED.glob("*.sql")))
    print(f"{len(items)} statements, {emitted} of them sent by tests: {len(items) - len(failed)} are read, {len(known)} are known gaps of the grammar, {len(new)} are not read")
    sys.exit(1 if new or stale else 0)


if __name__ == "__main__":
    main()
