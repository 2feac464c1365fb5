// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {IAuditAnchor} from "interfaces/audit/IAuditAnchor.sol";

/// @title AuditAnchor
/// @notice Roots of journals, one after the other. There is no function that changes or removes one.
contract AuditAnchor is IAuditAnchor, AccessManaged {
    mapping(bytes32 journal => Anchor[]) private _anchors;
    /// @inheritdoc IAuditAnchor
    bytes32 public currentJournal;

    constructor(address authority_) AccessManaged(authority_) {}

    /// @inheritdoc IAuditAnchor
    function anchor(bytes32 journal, uint64 firstSeq, uint64 lastSeq, bytes32 root, bytes32 previousRoot)
        external
        restricted
    {
        require(journal != 0, ZeroJournal());
        require(root != 0, ZeroRoot());
        Anchor memory last = latestOf(journal);
        require(firstSeq == last.lastSeq + 1 && lastSeq >= firstSeq, NotNext(firstSeq, lastSeq, last.lastSeq));
        require(previousRoot == last.root, OtherHistory(previousRoot, last.root));

        currentJournal = journal;
        _anchors[journal].push(Anchor({root: root, lastSeq: lastSeq, time: uint64(block.timestamp)}));
        emit Anchored(journal, lastSeq, msg.sender, firstSeq, root, previousRoot);
    }

    /// @inheritdoc IAuditAnchor
    function countOf(bytes32 journal) external view returns (uint256) {
        return _anchors[journal].length;
    }

    /// @inheritdoc IAuditAnchor
    function anchorAt(bytes32 journal, uint256 index) external view returns (Anchor memory) {
        return _anchors[journal][index];
    }

    /// @inheritdoc IAuditAnchor
    function latestOf(bytes32 journal) public view returns (Anchor memory last) {
        Anchor[] storage anchors = _anchors[journal];
        uint256 count = anchors.length;
        if (count != 0) last = anchors[count - 1];
    }
}
