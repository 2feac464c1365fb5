"""Whether everyone can leave before what governance announced takes effect; it changes nothing."""

from __future__ import annotations

from offchain.chain.client import ChainClient
from offchain.deployment import Deployment
from scripts._deployment.bound import ROUTER, bind, vault_at
from scripts._deployment.permissions import GOVERNANCE


def seconds_to_leave(amount: int, limit: int, window: int) -> int:
    """Until `amount` has left through a bucket that was full: L/2 at once, then L/(2W) a second.

    Args:
        amount: units that leave.
        limit: L; 0 if nothing is metered.
        window: W, in seconds.
    """
    if limit == 0:
        return 0
    waiting = max(0, 2 * amount - limit)
    return -(-waiting * window // limit)


def departure(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    """What is metered, and the problem if leaving takes longer than governance's delay.

    All of it leaves in the asset, or in kind: then the slowest part counts. The faster way is
    compared with the delay.
    """
    router = bind(client, deployment, ROUTER)
    limit_of = bind(client, deployment, "CircuitBreaker").functions.limitOf
    asset = client.call(router.functions.asset())
    strategies = client.call(router.functions.strategies())

    def seconds(token: str, amount: int) -> int:
        return seconds_to_leave(amount, *client.call(limit_of(router.address, token)))

    total = client.call(router.functions.totalAssets())
    in_kind = [seconds(asset, client.call(router.functions.idle()))]
    for strategy in strategies:
        shares = client.call(vault_at(client, strategy).functions.balanceOf(router.address))
        in_kind.append(seconds(strategy, shares))
    needed = min(seconds(asset, total), max(in_kind))

    authority = bind(client, deployment, "AccessAuthority").functions
    access = client.call(authority.getAccess(GOVERNANCE, deployment.roles["governance"]))
    delay = access[1]
    if needed <= delay:
        return len(in_kind), []
    problem = f"governance acts after {delay} s, but at the breaker's pace all leave in {needed} s"
    return len(in_kind), [problem]
