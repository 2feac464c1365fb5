"""The tree is RFC 6962's: published roots, and proofs against a recursive model of the text."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.journal import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def model_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = model_root(leaves[:half]), model_root(leaves[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(9))
def test_root__published_leaves__published_roots(size: int) -> None:
    expected = bytes.fromhex(ROOTS[size - 1]) if size else hashlib.sha256(b"").digest()
    assert merkle.root(LEAVES[:size]) == expected == model_root(LEAVES[:size])


def leaves(size: int) -> list[bytes]:
    return [number.to_bytes(4, "big") for number in range(size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 31, 32, 33])
def test_inclusion__every_leaf__proves_itself_only(size: int) -> None:
    tree = leaves(size)
    root = model_root(tree)
    for index, leaf in enumerate(tree):
        proof = merkle.inclusion_proof(tree, index)
        assert merkle.verify_inclusion(leaf, index, size, proof, root)
        assert not merkle.verify_inclusion(b"other", index, size, proof, root)
        assert not merkle.verify_inclusion(leaf, index + size, size, proof, root)
        assert not merkle.verify_inclusion(leaf, index, size, [*proof, bytes(32)], root)
        if proof:
            assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], root)
            assert not merkle.verify_inclusion(leaf, index ^ 1, size, proof, root)
    with pytest.raises(IndexError):
        merkle.inclusion_proof(tree, size)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 14, 20])
def test_consistency__every_prefix__proves_append_only(size: int) -> None:
    tree = leaves(size)
    new_root = model_root(tree)
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(tree, old)
        old_root = model_root(tree[:old])
        assert merkle.verify_consistency(old, size, old_root, new_root, proof)
        assert not merkle.verify_consistency(old, size, bytes(32), new_root, proof)
        assert not merkle.verify_consistency(old, size, old_root, bytes(32), proof)
        assert not merkle.verify_consistency(old, size, old_root, new_root, [*proof, bytes(32)])
        if proof:
            assert not merkle.verify_consistency(old, size, old_root, new_root, proof[:-1])
    with pytest.raises(IndexError):
        merkle.consistency_proof(tree, 0)


def test_verify__proof_made_to_fit_a_taller_tree__refused() -> None:
    """A sibling beyond the tree's top would let anyone invent the root."""
    node, hashed, other = merkle.node_hash, merkle.leaf_hash(b"a"), bytes([7]) * 32
    assert not merkle.verify_inclusion(b"a", 0, 1, [other], node(other, hashed))
    first, second, third = (bytes([n]) * 32 for n in range(3))
    old_root = node(other, node(third, first))
    new_root = node(other, node(third, node(first, second)))
    proof = [first, second, third, other]
    assert not merkle.verify_consistency(3, 4, old_root, new_root, proof)


@pytest.mark.parametrize(("old", "size"), [(4, 3), (0, 3)])
def test_verify_consistency__sizes_that_cannot_be__refused(old: int, size: int) -> None:
    assert not merkle.verify_consistency(old, size, bytes(32), bytes(32), [])


def test_verify_consistency__nothing_given__refused() -> None:
    tree = leaves(5)
    old_root, new_root = model_root(tree[:3]), model_root(tree)
    assert not merkle.verify_consistency(3, 5, old_root, new_root, [])


@given(st.lists(st.binary(max_size=8), max_size=70), st.data())
def test_frontier__any_growth__matches_model(tree: list[bytes], data: st.DataObject) -> None:
    frontier = merkle.Frontier()
    for size, leaf in enumerate(tree, 1):
        frontier.append(leaf)
        assert frontier.size == size
    assert frontier.root() == model_root(tree)
    if tree:
        rewritten = list(tree)
        position = data.draw(st.integers(0, len(tree) - 1))
        rewritten[position] += b"!"
        assert merkle.root(rewritten) != frontier.root()
