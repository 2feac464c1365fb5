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

/// @notice P5 on the bytecode that ships, for exact in: a sale that executes pays what the quote said, to the wei, and it
/// executes just when the quote answers and the caller's terms hold. For all that the pool's slots can hold, all
/// configurations, block numbers, times, amounts and terms; with tokens that move what they are told to, and without the
/// protocol's part. `tests/formal/test_quote_proofs.py` puts the creation code in the place of `hex"00"`.
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

    /// @dev What is sold, and what the caller accepts.
    struct Order {
        bool side;
        uint256 amount;
        uint256 limit;
        uint256 maxFee;
        uint256 deadline;
    }

    IGuardedPool private pool;
    ProofToken[2] private tokens;

    // trades in a block that somebody has opened

    function check_exact_in__open_block(Scene memory scene, Order memory order) external {
        _open(scene, true);
        _compare(scene, order);
    }

    // trades that open their block

    function check_exact_in__first_of_block(Scene memory scene, Order memory order) external {
        _open(scene, false);
        _compare(scene, order);
    }

    // quotes for the next block

    function check_exact_in__next_block(Scene memory scene, uint256 number, uint256 time, bool side, uint256 amount)
        external
    {
        _open(scene, true);
        bytes memory ahead = _call(abi.encodeCall(IGuardedPool.quoteExactInNext, (side, amount, time)));
        _goTo(scene, number, time);
        _same(ahead, _call(abi.encodeCall(IGuardedPool.quoteExactIn, (side, amount))));
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

    function _compare(Scene memory scene, Order memory order) private {
        bytes memory answer = _call(abi.encodeCall(IGuardedPool.quoteExactIn, (order.side, order.amount)));
        (bool traded, bytes memory result) = address(pool)
            .call(
                abi.encodeCall(
                    IGuardedPool.swapExactIn,
                    (order.side, order.amount, order.limit, RECEIVER, order.maxFee, order.deadline)
                )
            );
        if (answer.length == 0) {
            assert(!traded);
            return;
        }
        (uint256 amountOut, uint256 fee) = abi.decode(answer, (uint256, uint256));
        bool terms = fee <= order.maxFee && scene.time <= order.deadline;
        assert(traded == (terms && amountOut >= order.limit && amountOut != 0));
        if (!traded) return;
        assert(abi.decode(result, (uint256)) == amountOut);
        (uint256 tokenIn, uint256 tokenOut) = order.side ? (0, 1) : (1, 0);
        unchecked {
            assert(
                tokens[tokenIn].balanceOf(address(pool)) == scene.core.reserveOf(order.side) + order.amount
                    && tokens[tokenOut].balanceOf(address(pool)) == scene.core.reserveOf(!order.side) - amountOut
            );
            assert(tokens[tokenOut].balanceOf(RECEIVER) == amountOut);
        }
    }

    /// @dev The answer, or nothing if there is none.
    function _call(bytes memory data) private view returns (bytes memory) {
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
