"""The commands that signers run, against real Safes: what they print, keep, do, how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts import emergency, multisig
from scripts._safe import Call, Proposal
from tests.integration.safety.test_safe_account import register_all, states
from tests.peers.npm import deploy_own
from tests.support.anvil import Anvil
from tests.support.brake import BrakeWorld
from tests.support.gate import MAX_DURATION, State

pytestmark = pytest.mark.peers
GUARDS = ("--account", "TEST::6", "--account", "TEST::8")
GOVERNORS = ("--account", "TEST::1", "--account", "TEST::5", "--account", "TEST::3")
EXECUTOR = ("--executor", "TEST::9")
Run = Callable[..., Result]


@pytest.fixture
def run(world: BrakeWorld, chain: Anvil, tmp_path: Path, monkeypatch) -> Run:
    """Runs a command against the chain, in an empty folder that has the deployment file."""
    register_all(world)
    world.deployment().save(tmp_path / "deployments" / f"{world.client.chain_id}.json")
    monkeypatch.chdir(tmp_path)
    commands = {"emergency": emergency.cli, "multisig": multisig.cli}

    def invoke(command: str, *words: str, network: str = chain.url) -> Result:
        name, first, *rest = command.split()
        full = [first, *rest, *words, "--network", f"ethereum:local:{network}"]
        world.client.forget()
        return CliRunner(mix_stderr=False).invoke(commands[name], full)

    return invoke


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output + result.stderr
    return result.output.splitlines()


def refusal(result: Result) -> str:
    """The one line on standard error of a command that failed."""
    assert result.exit_code == 1, result.output
    (line,) = [text for text in result.stderr.splitlines() if not text.startswith("INFO")]
    return line


def only_proposal() -> Path:
    (path,) = Path("run/proposals").iterdir()
    return path


def test_emergency__freeze_status_resume__whole_round(run, world):
    shown = lines(run("emergency freeze --reason drill", *GUARDS, *EXECUTOR))
    assert f"1. EmergencyGate {world.gate.address}: raiseMany" in shown
    assert "     level: 3 (FROZEN)" in shown
    assert f"     duration: {MAX_DURATION} (3 d)" in shown
    assert '     reason: "drill"' in shown
    assert f"       - Target19 {world.targets[19].address}" in shown
    assert states(world) == {State.FROZEN}
    status = lines(run("emergency status"))
    assert sum("FROZEN" in line and "until" in line for line in status) == len(world.targets)
    shown = lines(run("emergency resume --reason over", *GOVERNORS, *EXECUTOR))
    assert f"batch of {len(world.targets)} calls" in " ".join(shown)
    assert states(world) == {State.NORMAL}


def test_emergency__freeze_some_for_two_hours_as_governance__only_those(run, world):
    words = ("--target", "Target3", "--hours", "2", "--as", "governance")
    lines(run("emergency freeze --reason x", *words, *GOVERNORS, *EXECUTOR))
    call = world.client.call
    assert [call(t.functions.emergencyState()) for t in world.targets[2:5]] == [0, 3, 0]
    _, expiry = call(world.gate.functions.stateOf(world.targets[3].address))
    assert expiry == world.client.timestamp() + 7_200


def test_emergency__used_ticket__warned_before_and_failed_after(run, world):
    lines(run("emergency freeze --reason one --target Target0", *GUARDS, *EXECUTOR))
    lines(run("emergency resume --reason one", *GOVERNORS, *EXECUTOR))
    result = run("emergency freeze --reason two", *GUARDS, *EXECUTOR)
    assert "warning      Target0 would not reach FROZEN" in result.stdout
    assert refusal(result) == "emergency: Target0 is not FROZEN: the ticket is not ready"
    assert states(world) == {State.NORMAL, State.FROZEN}


def test_emergency__throttle_then_time_passes__anyone_lapses(run, world, chain):
    lines(run("emergency throttle --reason slow", *GUARDS, *EXECUTOR))
    assert states(world) == {State.THROTTLED}
    assert refusal(run("emergency lapse --account TEST::0")) == "emergency: nothing is due"
    chain.advance(MAX_DURATION)
    assert any("anyone may run" in line for line in lines(run("emergency status")))
    lines(run("emergency lapse --account TEST::0"))
    assert states(world) == {State.NORMAL}


def test_emergency__withdraw_only_and_heartbeat__done(run, world, chain):
    lines(run("emergency withdraw-only --reason loss", *GUARDS, *EXECUTOR))
    assert states(world) == {State.WITHDRAW_ONLY}
    before = world.client.call(world.gate.functions.guardianValidUntil())
    chain.advance(1)
    lines(run("emergency heartbeat", *GUARDS, *EXECUTOR))
    assert world.client.call(world.gate.functions.guardianValidUntil()) > before


def test_multisig__signed_apart_then_executed_by_a_stranger__done(run, world):
    shown = lines(run("emergency freeze --reason drill"))
    path = only_proposal()
    assert shown[-2] == f"signatures   0 of 2 needed, in {path}"
    copy = Path("copy.json")
    copy.write_text(path.read_text())
    lines(run(f"multisig sign {path} --account TEST::7"))
    lines(run(f"multisig sign {copy} --account TEST::6"))
    result = run(f"multisig execute {path} --executor TEST::0")
    assert result.exit_code == 1
    assert states(world) == {State.NORMAL}
    shown = lines(run(f"multisig show {path}"))
    assert f"owner        {world.guardian_owners[1].address} signed" in shown
    assert f"owner        {world.guardian_owners[0].address} not yet" in shown
    assert "rehearsal    every call succeeds by itself" in shown
    shown = lines(run(f"multisig execute {path} {copy} --executor TEST::0"))
    assert any(line.startswith("executed     in block") for line in shown)
    assert states(world) == {State.FROZEN}


def test_multisig__propose_by_names__shown_and_executed(run, world):
    calls = (
        "--call",
        f'EmergencyGate.setSentinel("{world.stranger.address}")',
        "--call",
        'EmergencyGate.raiseState("Target1", "WITHDRAW_ONLY", 0, "audit")',
    )
    shown = lines(run("multisig propose --safe governance", *calls, *GOVERNORS, *EXECUTOR))
    assert f"     sentinel_: {world.stranger.address} (unknown address)" in shown
    assert f"     target: Target1 {world.targets[1].address}" in shown
    assert world.client.call(world.gate.functions.sentinel()) == world.stranger.address


def test_multisig__call_that_waits__announced_then_made(run, world, chain):
    payer, governance = world.executor, world.governance.address
    authority = deploy_own(world.client, payer, "AccessAuthority", payer.address)
    oracle = deploy_own(world.client, payer, "PriceOracle", authority.address)
    grant = authority.functions.grantRole(0, governance, MAX_DURATION)
    world.client.transact(payer, grant)
    world.deployment(AccessAuthority=authority, PriceOracle=oracle).save(
        Path("deployments") / f"{world.client.chain_id}.json"
    )
    call = ("--call", f'PriceOracle.setSequencerFeed("{governance}", 3600)')
    propose = "multisig propose --safe governance"
    assert "reverts" in refusal(run(propose, *call, *GOVERNORS, *EXECUTOR))

    shown = lines(run(propose + " --announce", *call, *GOVERNORS, *EXECUTOR))
    assert f"1. AccessAuthority {authority.address}: schedule" in shown
    assert f"     data: PriceOracle {oracle.address}: setSequencerFeed" in shown
    assert "       grace: 3600" in shown
    assert "reverts" in refusal(run(propose, *call, *GOVERNORS, *EXECUTOR))
    chain.advance(MAX_DURATION)
    lines(run(propose, *call, *GOVERNORS, *EXECUTOR))
    assert world.client.call(oracle.functions.sequencerGrace()) == 3_600


def test_multisig__announced_call_unreadable__nobody_signs(run, world):
    authority = deploy_own(world.client, world.executor, "AccessAuthority", world.executor.address)
    world.deployment(AccessAuthority=authority).save(
        Path("deployments") / f"{world.client.chain_id}.json"
    )
    text = 'AccessAuthority.schedule("AccessAuthority", "0xdeadbeef", 0)'
    result = run("multisig propose --safe governance --account TEST::1", "--call", text)
    assert refusal(result) == "multisig: a part of this transaction cannot be read: do not sign it"


def test_multisig__show__both_safes(run, world):
    shown = lines(run("multisig show"))
    assert f"governance Safe {world.governance.address}" in shown
    assert "  threshold  2 of 3, next nonce 0" in shown
    assert shown.count("  modules    none") == shown.count("  guard      none") == 2


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("emergency freeze --reason x --target Nothing", "no contract named Nothing"),
        ("emergency freeze --reason x --target EmergencyGate", "not a target"),
        ("emergency freeze --reason x --hours 73", "a duration is 1 to"),
        (f"emergency freeze --reason {'x' * 33}", "1 to 32 plain ASCII"),
        ("emergency freeze --reason x --account TEST::1", "not an owner"),
        ("emergency freeze --reason x --account nobody", "no account named nobody"),
        ("emergency resume --reason x", "nothing to resume"),
        ("multisig show missing.json", "does not exist"),
        ("multisig sign missing.json --account TEST::6", "does not exist"),
        ("multisig execute missing.json --executor TEST::6", "does not exist"),
        ("multisig propose --safe guardian --call Gate", "a call looks like"),
        ("emergency status --deployments nowhere", "does not exist"),
    ],
)
def test_commands__bad_input__one_line_and_status_1(run, command, reason):
    assert reason in refusal(run(command))


def test_multisig__tampered_proposal__nothing_signed(run):
    lines(run("emergency freeze --reason drill"))
    path = only_proposal()
    body = json.loads(path.read_text())
    body["to"] = "0x" + "11" * 20
    path.write_text(json.dumps(body))
    assert "do not give its safeTxHash" in refusal(run(f"multisig sign {path} --account TEST::6"))
    assert json.loads(path.read_text())["signatures"] == {}


def test_multisig__hash_fits_but_call_unreadable__nobody_signs(run, world):
    tx = world.guardian.build([Call(world.gate.address, b"\x01\x02\x03\x04")])
    path = Path("odd.json")
    Proposal(tx).save(path)
    result = run(f"multisig sign {path} --account TEST::6")
    assert "UNREADABLE CALL 0x01020304" in result.stdout
    assert "do not sign it" in refusal(result)
    assert json.loads(path.read_text())["signatures"] == {}
