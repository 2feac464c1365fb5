"""Deployments in process: run once, run twice, cut off and continued, refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.client import ChainClient
from offchain.chain.transport import ChainUnreachable
from offchain.deployment import Deployment
from offchain.errors import OffchainError
from scripts._deployment.bound import bind
from scripts._deployment.errors import DeployError
from scripts._deployment.installer import Installer, genesis_hash
from scripts._deployment.run import deploy_local, deploy_public
from scripts._deployment.suite import Suite
from scripts._deployment.verify import verify
from scripts._local.world import Surroundings
from scripts._safe import Proposal, SafeAccount, sign_all
from tests.support.deployment import Site, breaking_client

ZERO_HASH = "0x" + "00" * 32


def _quiet(_line: str) -> None:
    pass


class Desk:
    """One deployment's files."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.path = folder / "deployments" / "31337.json"
        self.draft = self.path.with_suffix(".draft.json")
        self.proposals = folder / "proposals"
        self.parameters = site.write_parameters(folder / "parameters.toml")
        self.path.parent.mkdir()

    def deploy(self, client: ChainClient | None = None) -> str:
        return deploy_public(
            client or self.site.client,
            self.site.deployer,
            self.parameters,
            self.path,
            _quiet,
            self.proposals,
        )

    def files(self) -> dict[str, bytes]:
        return {f.name: f.read_bytes() for f in self.path.parent.iterdir()}


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return Desk(site, tmp_path)


def test_deploy_public__from_nothing__governance_finishes_it_and_everything_verifies(
    site: Site, desk: Desk
) -> None:
    said = desk.deploy()
    assert list(desk.files()) == ["31337.json"]
    deployment = Deployment.load(desk.path, 31337)
    open_questions = {c.name for c in verify(site.client, deployment) if c.problems}
    assert open_questions == {"targets of the gate", "wiring"}

    (file,) = desk.proposals.iterdir()
    assert f"ape run multisig sign {file}" in said
    proposal = Proposal.load(file)
    safe = SafeAccount(
        site.client, site.parameters.safes.governance, site.parameters.safes.multi_send
    )
    signatures = sign_all(proposal.tx, site.cast.governance_owners[:3])
    safe.execute(proposal.tx, signatures, site.cast["trader"])
    assert [c for c in verify(site.client, deployment) if c.problems] == []


def test_deploy_public__a_second_time__says_so_and_changes_nothing(site: Site, desk: Desk) -> None:
    desk.deploy()
    files, nonce = desk.files(), site.nonce()
    assert desk.deploy().startswith("already deployed: ")
    assert (desk.files(), site.nonce()) == (files, nonce)


@pytest.mark.parametrize(("stride", "taken"), [(4, True), (6, False), (13, True), (29, False)])
def test_deploy_public__cut_off_again_and_again__ends_as_if_never_cut(
    site: Site, desk: Desk, stride: int, taken: bool
) -> None:
    snapshot = site.anvil.snapshot()
    desk.deploy()
    wanted = (desk.path.read_bytes(), site.nonce(), site.created())
    desk.path.unlink()
    site.anvil.revert(snapshot)
    site.client.forget()

    cuts = 0
    while not desk.path.exists():
        assert cuts < wanted[1], "a run that goes on makes progress"
        try:
            desk.deploy(breaking_client(site.anvil, stride, taken))
        except ChainUnreachable:
            cuts += 1
            assert not desk.path.exists()
            assert desk.draft.exists()
    assert cuts >= wanted[1] // stride - 1
    assert (desk.path.read_bytes(), site.nonce(), site.created()) == wanted
    assert not desk.draft.exists()


def test_deploy_public__transaction_still_unmined__is_waited_for_and_not_doubled(
    site: Site, desk: Desk
) -> None:
    snapshot = site.anvil.snapshot()
    desk.deploy()
    wanted = (site.nonce(), site.created())
    desk.path.unlink()
    site.anvil.revert(snapshot)
    site.client.forget()

    site.anvil.rpc("evm_setIntervalMining", 1)
    with pytest.raises(ChainUnreachable):
        desk.deploy(breaking_client(site.anvil, 1, True))
    assert site.nonce() < site.client.web3.eth.get_transaction_count(
        site.deployer.address,  # type: ignore[arg-type]
        "pending",
    )
    installer = Installer(site.client, site.deployer, desk.path, _quiet)
    assert installer.client.code(next(iter(_intents(desk).values()))["address"])
    site.anvil.rpc("evm_setIntervalMining", 0)
    site.anvil.set_automine(True)
    desk.deploy()
    assert (site.nonce(), site.created()) == wanted


def _intents(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.draft.read_text())["intents"]
    return found


def test_deploy_local__twice_and_after_a_cut__is_one_deployment(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "31337.json"
    with pytest.raises(ChainUnreachable):
        _local_with_peers(site, path, breaking_client(site.anvil, 9, True))
    assert not path.exists()
    nonce = site.nonce()
    assert deploy_local(site.client, path, _quiet).startswith("deployed: ")
    assert site.nonce() > nonce
    assert [f.name for f in tmp_path.iterdir()] == ["31337.json"]
    nonce = site.nonce()
    assert deploy_local(site.client, path, _quiet).startswith("already deployed: ")
    assert site.nonce() == nonce
    deployment = Deployment.load(path, 31337)
    assert [c for c in verify(site.client, deployment) if c.problems] == []


def _local_with_peers(site: Site, path: Path, client: ChainClient) -> None:
    """A local run that finds its peers already there, as after a first cut."""
    surroundings: Surroundings = site.ground.surroundings
    path.with_suffix(".peers.draft.json").write_text(surroundings.model_dump_json())
    deploy_local(client, path, _quiet)


def test_deploy_local__file_and_draft_of_a_dead_chain__are_moved_aside(
    site: Site, tmp_path: Path
) -> None:
    snapshot = site.anvil.snapshot()
    path = tmp_path / "31337.json"
    _local_with_peers(site, path, site.client)
    dead = path.read_bytes()
    site.anvil.revert(snapshot)
    site.client.forget()
    path.with_suffix(".draft.json").write_text(
        json.dumps(
            {
                "chain_id": 31337,
                "genesis_hash": ZERO_HASH,
                "deployer": site.deployer.address,
                "first_block": 0,
            }
        )
    )
    said: list[str] = []
    surroundings = site.ground.surroundings.model_dump_json()
    path.with_suffix(".peers.draft.json").write_text(surroundings)
    assert deploy_local(site.client, path, said.append).startswith("deployed: ")
    assert sum("belongs to a local chain that is gone" in line for line in said) == 2
    assert path.with_suffix(".dead.json").read_bytes() == dead
    assert path.with_suffix(".dead.draft.json").exists()


def _draft(desk: Desk, **changes: Any) -> None:
    fields: dict[str, Any] = {
        "chain_id": 31337,
        "genesis_hash": genesis_hash(desk.site.client),
        "deployer": desk.site.deployer.address,
        "first_block": 0,
    }
    desk.draft.write_text(json.dumps(fields | changes))


def _safes(desk: Desk, **changes: Any) -> None:
    safes = desk.site.parameters.safes.model_dump(mode="json") | changes
    desk.site.write_parameters(desk.parameters, safes=safes)


Spoil = Callable[[Desk], object]
USELESS: dict[str, tuple[Spoil, str]] = {
    "parameters missing": (lambda d: d.parameters.unlink(), "does not exist"),
    "parameters no TOML": (lambda d: d.parameters.write_text("chain_id = "), "cannot be read"),
    "parameters not text": (lambda d: d.parameters.write_bytes(b"\xff\xfe"), "cannot be read"),
    "parameters incomplete": (lambda d: d.parameters.write_text("chain_id = 1"), "is wrong at"),
    "parameter unknown": (
        lambda d: d.site.write_parameters(d.parameters, colour="red"),
        "wrong at colour",
    ),
    "other chain": (
        lambda d: d.site.write_parameters(d.parameters, chain_id=1),
        "for chain 1, the node is on 31337",
    ),
    "no asset": (
        lambda d: d.site.write_parameters(d.parameters, asset="0x" + "11" * 20),
        "there is no contract at",
    ),
    "unfunded deployer": (
        lambda d: d.site.anvil.set_balance(d.site.deployer.address, 0),
        "has no ether",
    ),
    "poor deployer": (
        lambda d: d.site.anvil.set_balance(d.site.deployer.address, 10**14),
        "a deployment needs about",
    ),
    "Safe without code": (
        lambda d: _safes(d, governance="0x" + "11" * 20),
        "there is no contract at",
    ),
    "Safe of other code": (
        lambda d: _safes(d, guardian=d.site.parameters.asset),
        "is not a Safe 1.4.1",
    ),
    "one Safe for both": (
        lambda d: _safes(d, guardian=d.site.parameters.safes.governance),
        "the same Safe",
    ),
    "threshold too low": (
        lambda d: _safes(d, governance_threshold=4),
        "the governance Safe asks for 3 signatures, not 4",
    ),
    "too few owners": (lambda d: _safes(d, guardian_owners=4), "guardian Safe has 3 owners, not 4"),
    "other MultiSend": (
        lambda d: _safes(d, multi_send=d.site.parameters.asset),
        "is not MultiSendCallOnly",
    ),
    "deployment no JSON": (lambda d: d.path.write_text("{"), "is not valid JSON"),
    "deployment empty": (lambda d: d.path.write_text("{}"), "is damaged at"),
    "draft no JSON": (lambda d: d.draft.write_text("{"), "draft"),
    "draft empty": (lambda d: d.draft.write_text("{}"), "is damaged at"),
    "draft nested deeply": (lambda d: d.draft.write_text("[" * 10**6), "is damaged"),
    "draft of another chain": (
        lambda d: _draft(d, genesis_hash=ZERO_HASH),
        "belongs to another chain",
    ),
    "draft of another deployer": (
        lambda d: _draft(d, deployer=d.site.parameters.safes.governance),
        "belongs to deployer",
    ),
    "draft of a later schema": (lambda d: _draft(d, schema_version=2), "has schema 2"),
}


@pytest.mark.parametrize("case", USELESS)
def test_deploy_public__wrong_input__one_line_and_nothing_written(
    site: Site, desk: Desk, case: str
) -> None:
    spoil, words = USELESS[case]
    spoil(desk)
    files, nonce = desk.files(), site.nonce()
    with pytest.raises(OffchainError, match=words) as refusal:
        desk.deploy()
    assert "\n" not in str(refusal.value)
    assert (desk.files(), site.nonce()) == (files, nonce)
    assert not desk.proposals.exists()


def test_deploy_public__safe_with_a_module__is_refused(site: Site, desk: Desk) -> None:
    safe = site.ground.guardian
    site.anvil.set_balance(safe.address, 10**18)
    site.as_account(safe.address, safe, "enableModule", site.cast["attacker"].address)
    with pytest.raises(DeployError, match="has a module"):
        desk.deploy()


def test_deploy_public__finished_file_with_other_code__is_refused(site: Site, desk: Desk) -> None:
    desk.deploy()
    files = desk.files()
    address = Deployment.load(desk.path).address("CircuitBreaker")
    site.anvil.rpc("anvil_setCode", address, "0x00")
    with pytest.raises(DeployError, match="CircuitBreaker has other code"):
        desk.deploy()
    assert desk.files() == files


def test_deploy_public__other_limits_than_the_draft_s_contracts__are_refused(
    site: Site, desk: Desk
) -> None:
    with pytest.raises(ChainUnreachable):
        desk.deploy(breaking_client(site.anvil, 4, True))
    limits = site.parameters.limits.model_dump() | {"freeze_duration": 1_000}
    site.write_parameters(desk.parameters, limits=limits)
    created = site.created()
    with pytest.raises(DeployError, match=r"EmergencyGate was deployed at .* from other code"):
        desk.deploy()
    assert site.created() == created


class Forgetful(Suite):
    """A deployment that does not let go of its last role."""

    def _hand_over(self, authority: Any) -> None:
        safes, limits = self._p.safes, self._p.limits
        self._in.ensure(
            "everything to governance",
            False,
            authority.functions.grantRole(0, safes.governance, limits.governance_delay),
        )


def test_deploy_public__deployer_that_kept_a_role__no_deployment_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts._deployment.run.Suite", Forgetful)
    with pytest.raises(DeployError, match="the deployer still holds: role 0 of AccessAuthority"):
        desk.deploy()
    assert list(desk.files()) == ["31337.draft.json"]


def test_deploy_public__finished__oracle_answers_for_every_asset(site: Site, desk: Desk) -> None:
    desk.deploy()
    oracle = bind(site.client, Deployment.load(desk.path), "PriceOracle")
    for asset in site.parameters.assets:
        assert site.client.call(oracle.functions.price(asset.token)) > 0
