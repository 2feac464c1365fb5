"""Deploys the real Aave V3 core and lends on it; its admin stays the account that deployed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import Compiled, PeerError, deploy, load
from tests.peers.tokens import approve, balance, fund

PACKAGE = "@aave/core-v3/artifacts/contracts"
PROTOCOL = f"{PACKAGE}/protocol"
ZERO = "0x" + "00" * 20
RAY = 10**27
BPS = 10_000
MAX = 2**256 - 1
VARIABLE_RATE = 2
REFERRAL = 0
ORACLE_UNIT = 10**8
MARKET = "Breakwater test market"

# In the order in which they can be linked.
LIBRARIES = (
    "BorrowLogic",
    "SupplyLogic",
    "EModeLogic",
    "LiquidationLogic",
    "PoolLogic",
    "BridgeLogic",
    "ConfiguratorLogic",
    "FlashLoanLogic",
)


@dataclass(frozen=True)
class ReserveTerms:
    """How a reserve is listed; rates in ray per year, the rest in basis points.

    Attributes:
        optimal_usage: utilisation, in ray, at which the steep slope begins.
        slope1: variable rate at the optimal usage.
        slope2: what the steep slope adds at full usage.
        ltv: most debt against the collateral.
        threshold: liquidation threshold.
        bonus: liquidation bonus, above 10 000.
        reserve_factor: part of the interest that the treasury takes.
    """

    optimal_usage: int
    slope1: int
    slope2: int
    ltv: int
    threshold: int
    bonus: int
    reserve_factor: int


STABLE_TERMS = ReserveTerms(
    9 * RAY // 10, 4 * RAY // 100, 60 * RAY // 100, 7_700, 8_000, 10_450, 1_000
)
ETHER_TERMS = ReserveTerms(
    8 * RAY // 10, 33 * RAY // 1_000, 80 * RAY // 100, 8_000, 8_250, 10_500, 1_500
)


@dataclass(frozen=True)
class Listing:
    """An asset to list, with the price feed that Aave's oracle shall read."""

    token: Contract
    feed: Contract
    terms: ReserveTerms


@dataclass(frozen=True)
class Reserve:
    """A listed asset and the contracts that belong to it."""

    symbol: str
    decimals: int
    token: Contract
    a_token: Contract
    variable_debt: Contract
    stable_debt: Contract
    rate_strategy: Contract
    terms: ReserveTerms


@dataclass(frozen=True)
class AaveV3:
    """The market; reserves by symbol."""

    provider: Contract
    pool: Contract
    configurator: Contract
    acl: Contract
    oracle: Contract
    data_provider: Contract
    reserves: Mapping[str, Reserve]

    def reserve_of(self, token: Contract) -> Reserve:
        """The reserve of a token.

        Raises:
            PeerError: if it is not listed.
        """
        for reserve in self.reserves.values():
            if reserve.token.address == token.address:
                return reserve
        raise PeerError(f"{token.address} is not listed on Aave")


def deploy_aave_v3(
    client: ChainClient, deployer: Signer, listings: Mapping[str, Listing]
) -> AaveV3:
    """Deploys the market and lists assets, by symbol; nothing is supplied yet."""
    libraries: dict[str, str] = {}
    for name in LIBRARIES:
        compiled = load(f"{PROTOCOL}/libraries/logic/{name}.sol/{name}")
        libraries[name] = deploy(client, deployer, compiled, libraries=libraries).address
    at = deployer.address
    provider = deploy(client, deployer, _core("configuration", "PoolAddressesProvider"), MARKET, at)
    set_up = provider.functions
    client.transact(deployer, set_up.setACLAdmin(at))
    acl = deploy(client, deployer, _core("configuration", "ACLManager"), provider.address)
    client.transact(deployer, set_up.setACLManager(acl.address))
    for grant in (acl.functions.addPoolAdmin, acl.functions.addEmergencyAdmin):
        client.transact(deployer, grant(at))
    oracle = deploy(
        client,
        deployer,
        load(f"{PACKAGE}/misc/AaveOracle.sol/AaveOracle"),
        provider.address,
        [listing.token.address for listing in listings.values()],
        [listing.feed.address for listing in listings.values()],
        ZERO,
        ZERO,
        ORACLE_UNIT,
    )
    client.transact(deployer, set_up.setPriceOracle(oracle.address))
    data_provider = deploy(
        client,
        deployer,
        load(f"{PACKAGE}/misc/AaveProtocolDataProvider.sol/AaveProtocolDataProvider"),
        provider.address,
    )
    client.transact(deployer, set_up.setPoolDataProvider(data_provider.address))
    pool = _proxied(client, deployer, provider, "Pool", libraries)
    configurator = _proxied(client, deployer, provider, "PoolConfigurator", libraries)
    market = AaveV3(provider, pool, configurator, acl, oracle, data_provider, {})
    return AaveV3(
        provider,
        pool,
        configurator,
        acl,
        oracle,
        data_provider,
        _list_all(client, deployer, market, listings),
    )


def supply(client: ChainClient, signer: Signer, aave: AaveV3, token: Contract, amount: int) -> None:
    """Supplies the signer's tokens."""
    approve(client, signer, token, aave.pool.address, amount)
    client.transact(
        signer, aave.pool.functions.supply(token.address, amount, signer.address, REFERRAL)
    )


def withdraw(
    client: ChainClient, signer: Signer, aave: AaveV3, token: Contract, amount: int = MAX
) -> int:
    """Withdraws to the signer, everything by default; returns what arrived."""
    before = balance(client, token, signer.address)
    client.transact(signer, aave.pool.functions.withdraw(token.address, amount, signer.address))
    return balance(client, token, signer.address) - before


def borrow(client: ChainClient, signer: Signer, aave: AaveV3, token: Contract, amount: int) -> None:
    """Borrows at the variable rate against the signer's collateral."""
    client.transact(
        signer,
        aave.pool.functions.borrow(token.address, amount, VARIABLE_RATE, REFERRAL, signer.address),
    )


def repay(
    client: ChainClient, signer: Signer, aave: AaveV3, token: Contract, amount: int = MAX
) -> None:
    """Repays the signer's variable debt, all of it by default, from the signer's tokens."""
    approve(client, signer, token, aave.pool.address)
    client.transact(
        signer, aave.pool.functions.repay(token.address, amount, VARIABLE_RATE, signer.address)
    )


def available(client: ChainClient, reserve: Reserve) -> int:
    """What can be borrowed or withdrawn at once."""
    return balance(client, reserve.token, reserve.a_token.address)


def total_debt(client: ChainClient, reserve: Reserve) -> int:
    """Variable debt now; the helpers here make no stable debt."""
    return int(client.call(reserve.variable_debt.functions.totalSupply()))


def utilisation_bps(client: ChainClient, reserve: Reserve) -> int:
    """Debt in basis points of debt and liquidity, rounded down."""
    debt = total_debt(client, reserve)
    whole = debt + available(client, reserve)
    return debt * BPS // whole if whole else 0


def borrow_to_utilisation(
    client: ChainClient,
    borrower: Signer,
    aave: AaveV3,
    token: Contract,
    *,
    collateral: Contract,
    target_bps: int,
) -> int:
    """Borrows until the reserve's utilisation is the target; 10 000 takes all that is there.

    The borrower supplies as much more collateral as the loan needs, and gets it by
    `tokens.fund`.

    Returns:
        The amount borrowed; 0 if the utilisation was there already.
    """
    reserve = aave.reserve_of(token)
    there, debt = available(client, reserve), total_debt(client, reserve)
    wanted = there if target_bps == BPS else (there + debt) * target_bps // BPS - debt
    if wanted <= 0:
        return 0
    _top_up_collateral(
        client, borrower, aave, collateral=collateral, reserve=reserve, amount=wanted
    )
    borrow(client, borrower, aave, token, wanted)
    return wanted


def _top_up_collateral(
    client: ChainClient,
    borrower: Signer,
    aave: AaveV3,
    *,
    collateral: Contract,
    reserve: Reserve,
    amount: int,
) -> None:
    """Supplies collateral for a loan, with a tenth to spare."""
    price = aave.oracle.functions.getAssetPrice
    loan_value = amount * client.call(price(reserve.token.address)) // 10**reserve.decimals
    account = client.call(aave.pool.functions.getUserAccountData(borrower.address))
    missing = loan_value * 11 // 10 - int(account[2])
    if missing <= 0:
        return
    held = aave.reserve_of(collateral)
    unit_value = client.call(price(collateral.address)) * held.terms.ltv // BPS
    more = -(-missing * 10**held.decimals // unit_value)
    fund(client, borrower, collateral, borrower.address, more)
    supply(client, borrower, aave, collateral, more)


def _core(folder: str, name: str) -> Compiled:
    return load(f"{PROTOCOL}/{folder}/{name}.sol/{name}")


def _proxied(
    client: ChainClient,
    deployer: Signer,
    provider: Contract,
    name: str,
    libraries: Mapping[str, str],
) -> Contract:
    """Deploys Pool or PoolConfigurator and lets the provider put its proxy before it."""
    compiled = _core("pool", name)
    arguments = (provider.address,) if name == "Pool" else ()
    logic = deploy(client, deployer, compiled, *arguments, libraries=libraries)
    # NOTE: the bare logic is initialised too, so that nobody else can become its owner.
    client.transact(deployer, logic.functions.initialize(provider.address))
    client.transact(deployer, provider.get_function_by_name(f"set{name}Impl")(logic.address))
    address = client.call(provider.get_function_by_name(f"get{name}")())
    return client.contract(address, compiled.abi)


def _list_all(
    client: ChainClient, deployer: Signer, market: AaveV3, listings: Mapping[str, Listing]
) -> dict[str, Reserve]:
    pool = market.pool.address
    logics = [
        deploy(client, deployer, _core("tokenization", name), pool).address
        for name in ("AToken", "StableDebtToken", "VariableDebtToken")
    ]
    strategies = {
        symbol: _rate_strategy(client, deployer, market, listing.terms).address
        for symbol, listing in listings.items()
    }
    requests = [
        (
            *logics,
            client.call(listing.token.functions.decimals()),
            strategies[symbol],
            listing.token.address,
            deployer.address,
            ZERO,
            f"Aave {symbol}",
            f"a{symbol}",
            f"Aave Variable Debt {symbol}",
            f"variableDebt{symbol}",
            f"Aave Stable Debt {symbol}",
            f"stableDebt{symbol}",
            b"",
        )
        for symbol, listing in listings.items()
    ]
    client.transact(deployer, market.configurator.functions.initReserves(requests))
    return {
        symbol: _configured(client, deployer, market, symbol, listing)
        for symbol, listing in listings.items()
    }


def _rate_strategy(
    client: ChainClient, deployer: Signer, market: AaveV3, terms: ReserveTerms
) -> Contract:
    return deploy(
        client,
        deployer,
        _core("pool", "DefaultReserveInterestRateStrategy"),
        market.provider.address,
        terms.optimal_usage,
        0,
        terms.slope1,
        terms.slope2,
        terms.slope1,
        terms.slope2,
        RAY // 100,
        8 * RAY // 100,
        RAY // 5,
    )


def _configured(
    client: ChainClient, deployer: Signer, market: AaveV3, symbol: str, listing: Listing
) -> Reserve:
    asset, terms = listing.token.address, listing.terms
    configure = market.configurator.functions
    for step in (
        configure.configureReserveAsCollateral(asset, terms.ltv, terms.threshold, terms.bonus),
        configure.setReserveBorrowing(asset, True),
        configure.setReserveFactor(asset, terms.reserve_factor),
        configure.setReserveFlashLoaning(asset, True),
    ):
        client.transact(deployer, step)
    data = client.call(market.pool.functions.getReserveData(asset))
    token = _core("tokenization", "AToken").abi
    return Reserve(
        symbol=symbol,
        decimals=client.call(listing.token.functions.decimals()),
        token=listing.token,
        a_token=client.contract(data.aTokenAddress, token),
        variable_debt=client.contract(
            data.variableDebtTokenAddress, _core("tokenization", "VariableDebtToken").abi
        ),
        stable_debt=client.contract(
            data.stableDebtTokenAddress, _core("tokenization", "StableDebtToken").abi
        ),
        rate_strategy=client.contract(
            data.interestRateStrategyAddress,
            _core("pool", "DefaultReserveInterestRateStrategy").abi,
        ),
        terms=terms,
    )
