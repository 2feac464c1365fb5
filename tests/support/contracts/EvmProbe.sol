// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice One small function for each thing that the in-process EVM must get right.
contract EvmProbe {
    struct Point {
        uint256 x;
        address owner;
    }

    error Refused(address caller, uint256 amount);

    event Stored(address indexed caller, uint256 indexed key, uint256 value, string note);

    uint256 public first;
    mapping(uint256 key => uint256) public values;
    address public immutable DEPLOYER;
    bool private _locked;

    constructor(uint256 first_) payable {
        first = first_;
        DEPLOYER = msg.sender;
    }

    receive() external payable {}

    function store(uint256 key, uint256 value) external returns (uint256 previous) {
        previous = values[key];
        values[key] = value;
        emit Stored(msg.sender, key, value, "note");
    }

    function setFirst(uint256 value) external {
        first = value;
    }

    /// @notice Sets and clears a flag, as a reentrancy guard does: refunds.
    function guarded(uint256 value) external {
        _locked = true;
        first = value;
        _locked = false;
    }

    function clearMany(uint256 count) external {
        for (uint256 i; i < count; ++i) {
            values[i] = 0;
        }
    }

    function storeMany(uint256 count, uint256 value) external {
        for (uint256 i; i < count; ++i) {
            values[i] = value;
        }
    }

    /// @notice Calls itself at another address, keeps going when that fails.
    function forward(address target, bytes calldata data) external payable returns (bool success, bytes memory result) {
        return target.call{value: msg.value}(data);
    }

    function pay(address payable to, uint256 amount) external {
        (bool success,) = to.call{value: amount}("");
        require(success, Refused(to, amount));
    }

    /// @notice Writes, then reverts.
    function storeAndRefuse(uint256 amount) external {
        values[0] = amount;
        revert Refused(msg.sender, amount);
    }

    function refuseInWords() external pure {
        revert("not today");
    }

    function divide(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    function pick(uint256 a) external pure returns (uint256) {
        return a;
    }

    function pick(uint256 a, address b) external pure returns (uint256, address) {
        return (a, b);
    }

    function echo(Point calldata point, uint256[] calldata list)
        external
        pure
        returns (Point memory same, uint256[] memory samelist)
    {
        return (point, list);
    }

    function block_() external view returns (uint256 timestamp, uint256 number, uint256 basefee, uint256 gaslimit) {
        return (block.timestamp, block.number, block.basefee, gasleft());
    }

    function create(uint256 value) external returns (Child) {
        return new Child(value);
    }

    function balanceOf(address account) external view returns (uint256) {
        return account.balance;
    }
}

/// @notice What `EvmProbe.create` deploys.
contract Child {
    uint256 public value;

    constructor(uint256 value_) {
        value = value_;
    }
}

/// @notice Its code is longer than a chain accepts.
contract OversizedCode {
    constructor() {
        assembly {
            return(0, 24577)
        }
    }
}
