"""Reads statements for Redshift with sqlfluff's grammar. See check-redshift-grammar."""

import pathlib
import re
import sys
from concurrent.futures import ProcessPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
GAPS = ROOT / "scripts" / "redshift-grammar-gaps"


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
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.sql")):
            found.append((str(path), path.read_text()))
    # What does not read as SQL by its own account: an expectation that is an error message.
    return [(place, sql) for place, sql in found if re.match(r"(?i)\W*\w+", sql)]


def unread(item):
    from sqlfluff.core import Linter

    place, sql = item
    parsed = Linter(dialect="redshift").parse_string(sql + ";\n")
    problems = [str(problem.desc()) for problem in parsed.violations]
    return (place, sql, problems[0]) if problems else None


def main():
    items = collected(sys.argv[1:])
    gaps = [line for line in GAPS.read_text().splitlines() if line and not line.startswith("#")] if GAPS.exists() else []
    with ProcessPoolExecutor() as pool:
        failed = [result for result in pool.map(unread, items, chunksize=8) if result]
    known = [(place, sql, problem) for place, sql, problem in failed if any(gap in " ".join(sql.split()) for gap in gaps)]
    new = [result for result in failed if result not in known]
    for place, sql, problem in new:
        print(f"{place}: {problem}\n    {' '.join(sql.split())[:300]}")
    stale = [gap for gap in gaps if not any(gap in " ".join(sql.split()) for _, sql, _ in failed)]
    for gap in stale:
        print(f"scripts/redshift-grammar-gaps: nothing needs '{gap}' any more")
    print(f"{len(items)} statements: {len(items) - len(failed)} are read, {len(known)} are known gaps of the grammar, {len(new)} are not read")
    sys.exit(1 if new or stale else 0)


if __name__ == "__main__":
    main()
