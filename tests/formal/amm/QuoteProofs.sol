// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IGuardedPool, PoolConfig} from "interfaces/amm/IGuardedPool.sol";

import {PoolState} from "contracts/amm/PoolState.sol";

interface PoolProofVm {
    function assume(bool condition) external pure;
    function store(address account, bytes32 slot, bytes32 value) external;
    function roll(uint256 number) external;
    function warp(uint256 timestamp) external;
}

/// @notice A token that moves what it is told to, without events, and of which nobody ever runs out.
contract ProofToken {
    mapping(address owner => uint256 balance) public balanceOf;

    function give(address to, uint256 amount) external {
        balanceOf[to] = amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return transferFrom(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public returns (bool) {
        unchecked {
            balanceOf[from] -= amount;
            balanceOf[to] += amount;
        }
        return true;
    }
}

/// @notice P5 on the bytecode that ships: a trade that executes moves what its quote said, to the wei, and it executes just
/// when the quote answers and the caller's terms hold. For exact in and exact out, pulled and prepaid; for all that the
/// pool's slots can hold, all configurations, block numbers, times, amounts and terms; with tokens that move what they are
/// told to, and without the protocol's part. `tests/formal/amm/test_quote_proofs.py` puts the creation code in the place of
/// `hex"00"`.
contract QuoteProofs {
    using PoolState for uint256;

    PoolProofVm private constant VM = PoolProofVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes private constant CODE = hex"00";

    address private constant RECEIVER = address(0x1001);
    bytes32 private constant ORACLE_SLOT = bytes32(uint256(3));
    bytes32 private constant CORE_SLOT = bytes32(uint256(6));
    bytes32 private constant WINDOW_SLOT = bytes32(uint256(7));

    /// @dev A pool with any configuration and anything in its hot slots, at any time.
    struct Scene {
        PoolConfig config;
        uint256 core;
        uint256 window;
        uint256 oracle;
        uint256 number;
        uint256 time;
    }

    /// @dev What is sold or bought, and what the caller accepts; `held` is what a prepaid trade finds in the pool.
    struct Order {
        bool side;
        uint256 amount;
        uint256 held;
        uint256 limit;
        uint256 maxFee;
        uint256 deadline;
    }

    IGuardedPool private pool;
    ProofToken[2] private tokens;

    // trades in a block that somebody has opened

    function check_exact_in__open_block(Scene memory scene, Order memory order) external {
        _open(scene, true);
        _exactIn(scene, order);
    }

    function check_exact_in_prepaid__open_block(Scene memory scene, Order memory order) external {
        _open(scene, true);
        _exactInPrepaid(scene, order);
    }

    function check_exact_out__open_block(Scene memory scene, Order memory order) external {
        _open(scene, true);
        _exactOut(scene, order);
    }

    function check_exact_out_prepaid__open_block(Scene memory scene, Order memory order) external {
        _open(scene, true);
        _exactOutPrepaid(scene, order);
    }

    // trades that open their block

    function check_exact_in__first_of_block(Scene memory scene, Order memory order) external {
        _open(scene, false);
        _exactIn(scene, order);
    }

    function check_exact_in_prepaid__first_of_block(Scene memory scene, Order memory order) external {
        _open(scene, false);
        _exactInPrepaid(scene, order);
    }

    function check_exact_out__first_of_block(Scene memory scene, Order memory order) external {
        _open(scene, false);
        _exactOut(scene, order);
    }

    function check_exact_out_prepaid__first_of_block(Scene memory scene, Order memory order) external {
        _open(scene, false);
        _exactOutPrepaid(scene, order);
    }

    // quotes for the next block

    function check_exact_in__next_block(Scene memory scene, uint256 number, uint256 time, bool side, uint256 amount)
        external
    {
        _open(scene, true);
        bytes memory ahead = _ask(abi.encodeCall(IGuardedPool.quoteExactInNext, (side, amount, time)));
        _goTo(scene, number, time);
        _same(ahead, _ask(abi.encodeCall(IGuardedPool.quoteExactIn, (side, amount))));
    }

    function check_exact_out__next_block(Scene memory scene, uint256 number, uint256 time, bool side, uint256 amount)
        external
    {
        _open(scene, true);
        bytes memory ahead = _ask(abi.encodeCall(IGuardedPool.quoteExactOutNext, (side, amount, time)));
        _goTo(scene, number, time);
        _same(ahead, _ask(abi.encodeCall(IGuardedPool.quoteExactOut, (side, amount))));
    }

    // inside

    function _open(Scene memory scene, bool opened) private {
        tokens = [new ProofToken(), new ProofToken()];
        bytes memory code = bytes.concat(
            CODE, abi.encode(address(this), address(tokens[0]), address(tokens[1]), address(this), 0, scene.config)
        );
        address created;
        assembly {
            created := create(0, add(code, 0x20), mload(code))
        }
        VM.assume(created != address(0));
        pool = IGuardedPool(created);
        VM.store(created, CORE_SLOT, bytes32(scene.core));
        VM.store(created, WINDOW_SLOT, bytes32(scene.window));
        VM.store(created, ORACLE_SLOT, bytes32(scene.oracle));
        (uint256 r0, uint256 r1) = (scene.core.reserve0(), scene.core.reserve1());
        VM.assume(r0 != 0 && r1 != 0 && !scene.core.isLocked());
        (uint256 held0, uint256 held1) = pool.getReserves();
        assert(held0 == r0 && held1 == r1);
        tokens[0].give(created, r0);
        tokens[1].give(created, r1);
        VM.assume((scene.core.blockOf() == scene.number & PoolState.BLOCK_MASK) == opened);
        VM.roll(scene.number);
        VM.warp(scene.time);
    }

    function _goTo(Scene memory scene, uint256 number, uint256 time) private {
        VM.assume(scene.core.blockOf() != number & PoolState.BLOCK_MASK);
        VM.roll(number);
        VM.warp(time);
    }

    function _exactIn(Scene memory scene, Order memory order) private {
        bytes memory answer = _ask(abi.encodeCall(IGuardedPool.quoteExactIn, (order.side, order.amount)));
        (bool traded, uint256 amountOut) = _trade(
            abi.encodeCall(
                IGuardedPool.swapExactIn,
                (order.side, order.amount, order.limit, RECEIVER, order.maxFee, order.deadline)
            )
        );
        _compareExactIn(scene, order, answer, traded, amountOut);
    }

    function _exactInPrepaid(Scene memory scene, Order memory order) private {
        order.amount = _arrived(scene, order);
        bytes memory answer = _ask(abi.encodeCall(IGuardedPool.quoteExactIn, (order.side, order.amount)));
        (bool traded, uint256 amountOut) = _trade(
            abi.encodeCall(
                IGuardedPool.swapExactInPrepaid, (order.side, order.limit, RECEIVER, order.maxFee, order.deadline)
            )
        );
        _compareExactIn(scene, order, answer, traded, amountOut);
    }

    function _exactOut(Scene memory scene, Order memory order) private {
        bytes memory answer = _ask(abi.encodeCall(IGuardedPool.quoteExactOut, (order.side, order.amount)));
        (bool traded, uint256 amountIn) = _trade(
            abi.encodeCall(
                IGuardedPool.swapExactOut,
                (order.side, order.amount, order.limit, RECEIVER, order.maxFee, order.deadline)
            )
        );
        _compareExactOut(scene, order, answer, type(uint256).max, traded, amountIn);
    }

    function _exactOutPrepaid(Scene memory scene, Order memory order) private {
        uint256 arrived = _arrived(scene, order);
        bytes memory answer = _ask(abi.encodeCall(IGuardedPool.quoteExactOut, (order.side, order.amount)));
        (bool traded, uint256 amountIn) = _trade(
            abi.encodeCall(
                IGuardedPool.swapExactOutPrepaid,
                (order.side, order.amount, order.limit, RECEIVER, order.maxFee, order.deadline)
            )
        );
        _compareExactOut(scene, order, answer, arrived, traded, amountIn);
    }

    function _compareExactIn(
        Scene memory scene,
        Order memory order,
        bytes memory answer,
        bool traded,
        uint256 amountOut
    ) private view {
        if (answer.length == 0) {
            assert(!traded);
            return;
        }
        (uint256 quoted, uint256 fee) = abi.decode(answer, (uint256, uint256));
        assert(traded == (_accepted(scene, order, fee) && quoted >= order.limit && quoted != 0));
        if (!traded) return;
        assert(amountOut == quoted);
        _moved(scene, order.side, order.amount, quoted);
    }

    /// @dev `paid` is what the pool may take at most.
    function _compareExactOut(
        Scene memory scene,
        Order memory order,
        bytes memory answer,
        uint256 paid,
        bool traded,
        uint256 amountIn
    ) private view {
        if (answer.length == 0) {
            assert(!traded);
            return;
        }
        (uint256 quoted, uint256 fee) = abi.decode(answer, (uint256, uint256));
        assert(traded == (_accepted(scene, order, fee) && quoted <= order.limit && quoted <= paid));
        if (!traded) return;
        assert(amountIn == quoted);
        _moved(scene, order.side, quoted, order.amount);
    }

    function _accepted(Scene memory scene, Order memory order, uint256 fee) private pure returns (bool) {
        return fee <= order.maxFee && scene.time <= order.deadline;
    }

    /// @dev The pool holds its reserves after the trade and nothing else: what was paid too much has gone back.
    function _moved(Scene memory scene, bool side, uint256 amountIn, uint256 amountOut) private view {
        (uint256 tokenIn, uint256 tokenOut) = side ? (0, 1) : (1, 0);
        unchecked {
            assert(tokens[tokenIn].balanceOf(address(pool)) == scene.core.reserveOf(side) + amountIn);
            assert(tokens[tokenOut].balanceOf(address(pool)) == scene.core.reserveOf(!side) - amountOut);
        }
        assert(tokens[tokenOut].balanceOf(RECEIVER) == amountOut);
    }

    /// @dev Puts `held` of the token to sell into the pool; what of it is beyond the reserve, worked out just as the pool
    /// does it: products are uninterpreted at first, and those of the quote and of the trade must be the same ones.
    function _arrived(Scene memory scene, Order memory order) private returns (uint256 arrived) {
        uint256 held = order.held;
        uint256 reserve = scene.core.reserveOf(order.side);
        VM.assume(held >= reserve);
        tokens[order.side ? 0 : 1].give(address(pool), held);
        assembly {
            let beyond := sub(held, reserve)
            arrived := mul(iszero(gt(beyond, held)), beyond)
        }
        unchecked {
            assert(arrived == held - reserve);
        }
    }

    function _trade(bytes memory data) private returns (bool traded, uint256 amount) {
        bytes memory result;
        (traded, result) = address(pool).call(data);
        if (traded) amount = abi.decode(result, (uint256));
    }

    /// @dev The answer, or nothing if there is none.
    function _ask(bytes memory data) private view returns (bytes memory) {
        (bool done, bytes memory answer) = address(pool).staticcall(data);
        return done ? answer : bytes("");
    }

    function _same(bytes memory a, bytes memory b) private pure {
        assert(a.length == b.length);
        if (a.length == 0) return;
        (uint256 amount, uint256 fee) = abi.decode(a, (uint256, uint256));
        (uint256 otherAmount, uint256 otherFee) = abi.decode(b, (uint256, uint256));
        assert(amount == otherAmount && fee == otherFee);
    }
}
