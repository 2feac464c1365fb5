"""Chooses faults of the contracts, finds the tests that reach them, and has them hunted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offchain.artifacts import ROOT
from tools.audit import properties
from tools.audit.coverage.contracts import Reached
from tools.audit.instrument.state import digest
from tools.audit.mutation import build, runner
from tools.audit.mutation.judge import SAFETY
from tools.audit.mutation.mutant import Mutant
from tools.audit.mutation.runner import Memory, Result

# So many faults go into one build at most. Each makes the code dearer, and tests that measure to
# the gas would fail on it without any fault in force.
BATCH = 500
# Of a sample, so much is of the safety plane, which is a fifth of the code.
SAFETY_SHARE = 0.4
# So many tests are asked about one fault at most: what this many do not notice, a developer who
# runs a part of the suite would not either.
MOST_TESTS = 300
# Faults of every sample for each property.
PER_PROPERTY = 3


@dataclass(frozen=True)
class Hunt:
    """All faults, and what became of those that were hunted."""

    everything: tuple[Mutant, ...]
    results: Mapping[str, Result]


def tests_of(
    mutant: Mutant,
    reached: Reached,
    lines: Mapping[tuple[str, int], set[str]],
    first: frozenset[str] = frozenset(),
) -> list[str]:
    """Tests that reach a fault's line, the most telling first; the clock has no say in it.

    First those of `first`. Then the one that reaches least: it is cheap, and about this line more
    than others are. Of a test with parameters one case, then another of each, and so on.
    """
    found = lines.get((mutant.path, mutant.line), set()) - set(reached.failed)
    turns: dict[str, int] = {}
    ranked = []
    for size, test in sorted((len(reached.by_test[test]), test) for test in found):
        function = test.partition("[")[0]
        turns[function] = turns.get(function, 0) + 1
        ranked.append((function not in first, turns[function], size, test))
    return [test for *_, test in sorted(ranked)[:MOST_TESTS]]


def by_line(reached: Reached) -> dict[tuple[str, int], set[str]]:
    """For each line of a contract, the tests that reach it."""
    found: dict[tuple[str, int], set[str]] = {}
    for test, hits in reached.by_test.items():
        for index in hits:
            probe = reached.probes[index]
            found.setdefault((probe.path, probe.line), set()).add(test)
    return found


def choose(everything: Sequence[Mutant], count: int, seed: int) -> list[int]:
    """Indexes of a sample in the order in which it is hunted: safety plane and rest mixed."""
    rng = random.Random(seed)
    safety = [n for n, one in enumerate(everything) if one.path.startswith(SAFETY)]
    rest = [n for n, one in enumerate(everything) if not one.path.startswith(SAFETY)]
    rng.shuffle(safety)
    rng.shuffle(rest)
    if count >= len(everything):
        return safety + rest
    mine = min(len(safety), round(count * SAFETY_SHARE))
    chosen = safety[:mine] + rest[: count - mine]
    rng.shuffle(chosen)
    return chosen


def named(
    everything: Sequence[Mutant],
    lines: Mapping[tuple[str, int], set[str]],
    mentions: Sequence[properties.Mention],
    seed: int,
) -> dict[int, frozenset[str]]:
    """For each property a few faults that its tests reach: index, and the property's tests.

    They are hunted in every sample, so that each property is seen to be able to fail.
    """
    rng = random.Random(seed)
    places: dict[str, set[str]] = {}
    for mention in mentions:
        if mention.kind == "test":
            for name in mention.ids:
                places.setdefault(name, set()).add(mention.place)
    functions = {line: {test.partition("[")[0] for test in tests} for line, tests in lines.items()}
    chosen: dict[int, frozenset[str]] = {}
    for name in sorted(places):
        candidates = [
            n
            for n, one in enumerate(everything)
            if n not in chosen
            and not places[name].isdisjoint(functions.get((one.path, one.line), ()))
        ]
        for n in rng.sample(candidates, min(PER_PROPERTY, len(candidates))):
            chosen[n] = frozenset(places[name])
    return chosen


def hunt(
    reached: Reached,
    count: int,
    workers: int,
    seed: int,
    say: Callable[[str], None],
    wanted: Callable[[Mutant], bool] = lambda _mutant: True,
) -> Hunt:
    """Hunts a sample of all faults, or all of them if `count` is as large.

    Args:
        reached: what each test reaches, from the coverage run.
        count: how many faults at most.
        workers: processes side by side.
        seed: of the choice and of the tests' own sampling.
        say: told about progress.
        wanted: narrows what may be chosen, to look at one contract.
    """
    plants = build.all_plants()
    everything = tuple(plant.mutant for plant in plants)
    memory = Memory("contracts", digest())
    lines = by_line(reached)
    mentions = properties.scan(ROOT)
    pinned = named(everything, lines, mentions, seed)
    order = dict.fromkeys([*pinned, *choose(everything, count, seed)])
    chosen = [n for n in order if wanted(everything[n])]
    todo = [n for n in chosen if everything[n].key not in memory.results]
    say(f"{len(chosen)} of {len(everything)} faults chosen, {len(chosen) - len(todo)} known")
    bare = [n for n in todo if not tests_of(everything[n], reached, lines)]
    memory.keep({everything[n].key: Result("uncovered", "", 0.0) for n in bare})
    todo = [n for n in todo if n not in set(bare)]
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        numbered = {number: plants[n] for number, n in enumerate(batch, 1)}
        artifacts, kept = build.compile_faults(numbered, workers, say)
        say(f"{len(kept)} faults compiled, {len(batch) - len(kept)} refused by the compiler")
        asked = {number: pinned.get(n, frozenset()) for number, n in enumerate(batch, 1)}
        faults = [
            (str(number), tests_of(one, reached, lines, asked[number]))
            for number, one in sorted(kept.items())
        ]
        results = runner.run("contract", faults, artifacts, workers, seed, say)
        memory.keep({kept[int(name)].key: result for name, result in results.items()})
    keys = {everything[n].key for n in chosen}
    return Hunt(everything, {k: r for k, r in memory.results.items() if k in keys})


def write_kills(results: Mapping[str, Result]) -> None:
    """Leaves for the catalogue of properties which test noticed how many faults first."""
    counts: dict[str, int] = {}
    for result in results.values():
        if result.status == "killed" and "::" in result.by:
            place = result.by.partition("[")[0]
            counts[place] = counts.get(place, 0) + 1
    path = ROOT / properties.KILLS
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n")
