"""Validates the artefacts of acca, and compares its manifest with dbt's. Called by `check-artifacts`."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What is different in every invocation or by nature.
IGNORED = {"created_at", "generated_at", "invocation_id", "invocation_started_at", "root_path", "unrendered_config"}


def schemas():
    """The published schemas, made from the same classes from which dbt's release makes them."""
    from dbt.artifacts.schemas.catalog import CatalogArtifact
    from dbt.artifacts.schemas.freshness import FreshnessExecutionResultArtifact
    from dbt.artifacts.schemas.manifest import WritableManifest
    from dbt.artifacts.schemas.run import RunResultsArtifact

    return {
        "manifest.json": WritableManifest,
        "run_results.json": RunResultsArtifact,
        "catalog.json": CatalogArtifact,
        "sources.json": FreshnessExecutionResultArtifact,
    }


def readers():
    from dbt_artifacts_parser import parser

    return {
        "manifest.json": parser.parse_manifest_v12,
        "run_results.json": parser.parse_run_results_v6,
        "catalog.json": parser.parse_catalog_v1,
        "sources.json": parser.parse_sources_v3,
    }


def check(folder):
    """The number of artefacts that are wrong."""
    import jsonschema

    wrong = 0
    for name, schema in schemas().items():
        path = folder / name
        if not path.exists():
            print(f"{name}: not there")
            continue
        artefact = json.loads(path.read_text())
        validator = jsonschema.Draft202012Validator(schema.json_schema())
        problems = sorted(validator.iter_errors(artefact), key=lambda problem: list(map(str, problem.absolute_path)))
        for problem in problems[:20]:
            place = ".".join(map(str, problem.absolute_path))
            print(f"{name}: {place}: {problem.message[:300]}")
        try:
            readers()[name](artefact)
            read = "read by dbt-artifacts-parser"
        except Exception as error:
            read = f"NOT read by dbt-artifacts-parser: {str(error)[:2000]}"
            problems.append(error)
        print(f"{name}: {len(problems)} problems, {read}")
        wrong += bool(problems)
    return wrong


def differences(ours, theirs, place=""):
    """Places at which two values differ, with both values."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs), key=str):
            if key in IGNORED:
                continue
            at = f"{place}.{key}" if place else str(key)
            if key not in ours:
                yield at, "(missing)", theirs[key]
            elif key not in theirs:
                yield at, ours[key], "(missing)"
            else:
                yield from differences(ours[key], theirs[key], at)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs) and any(isinstance(one, dict) for one in ours):
        for at, pair in enumerate(zip(ours, theirs)):
            yield from differences(*pair, f"{place}.{at}")
    elif place.endswith((".depends_on.nodes", ".depends_on.macros")):
        # dbt lists them as it comes upon them, acca in alphabetical order.
        if sorted(ours) != sorted(theirs):
            yield place, sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    elif ours != theirs:
        yield place, ours, theirs


def compare(project):
    """Parses the project with both and prints how entries differ: a line for each kind of difference, with the first example."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        acca = os.environ.get("ACCA_BIN", str(ROOT / "acca"))
        profiles = project if (project / "profiles.yml").exists() else scratch
        if profiles is scratch:
            shutil.copy(project / "profiles.example.yml", scratch / "profiles.yml")
        places = ["--project-dir", str(project), "--profiles-dir", str(profiles)]
        subprocess.run([acca, "parse", "--quiet", *places, "--target-path", str(scratch / "acca")], check=True)
        dbt = pathlib.Path(sys.executable).parent / "dbt"
        quiet = ["--no-partial-parse", "--no-send-anonymous-usage-stats", "--no-use-colors", "--log-path", str(scratch / "logs")]
        subprocess.run([dbt, "--quiet", *quiet, "parse", *places, "--target-path", str(scratch / "dbt")], check=True)
        ours = json.loads((scratch / "acca" / "manifest.json").read_text())
        theirs = json.loads((scratch / "dbt" / "manifest.json").read_text())
    root = ours["metadata"]["project_name"]
    seen, count = {}, {}
    for section in sorted(set(ours) | set(theirs)):
        left, right = ours.get(section, {}), theirs.get(section, {})
        if section in ("macros", "docs"):
            # dbt lists its own macros and pages too.
            keep = lambda entries: {key: value for key, value in entries.items() if f".{root}." in key}
            left, right = keep(left), keep(right)
        if isinstance(left, dict) and isinstance(right, dict) and section.endswith("_map"):
            order = lambda entries: {key: sorted(value) for key, value in entries.items()}
            left, right = order(left), order(right)
        for place, mine, other in differences(left, right):
            # The id of the entry, which has dots of its own, and the names of columns do not matter for the kind.
            entry = next((key for key in sorted({*left, *right}, key=len, reverse=True) if place == key or place.startswith(key + ".")), "")
            key = place if section == "metadata" else "*" + place[len(entry):]
            kind = section + ": " + re.sub(r"\.columns\.[^.]+", ".columns.*", key)
            count[kind] = count.get(kind, 0) + 1
            seen.setdefault(kind, (place, mine, other))
    short = lambda value: json.dumps(value)[:300]
    for kind, (place, mine, other) in seen.items():
        print(f"{kind} ({count[kind]}x), first at {place}\n    acca: {short(mine)}\n    dbt:  {short(other)}")
    print(f"{len(seen)} kinds of differences")
    return len(seen)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--compare"]:
        sys.exit(compare(pathlib.Path(arguments[1] if len(arguments) > 1 else ROOT).resolve()) > 0)
    folder = pathlib.Path(arguments[0] if arguments else ROOT / "build")
    sys.exit(check(folder) > 0)


main()
