from __future__ import annotations

import pytest

from hybridtrack.errors import UsageError
from hybridtrack.identity import Identities
from hybridtrack.types import ClassInfo

MUG, COFFEE_CUP = ClassInfo(name="mug"), ClassInfo(name="coffee cup", identity="mug")
CUP, HAND = ClassInfo(name="cup"), ClassInfo(name="hand", role="hand")
OFFERED = (MUG, COFFEE_CUP, CUP, HAND)


def test_named_classes_go_under_one_identity_and_others_stay() -> None:
    joined = Identities({"cup": ("mug",)}, OFFERED).of(OFFERED)
    assert [info.identity for info in joined] == ["cup", "mug", "cup", "hand"]
    assert [info.name for info in joined] == [info.name for info in OFFERED]


def test_nothing_is_joined_where_nothing_is_asked_for() -> None:
    assert Identities({}, OFFERED).of(OFFERED) == OFFERED


def test_class_that_no_detector_offers_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"identity 'cup': unknown class 'mgu'; known: .*; did you mean 'mug'\?$"):
        Identities({"cup": ("mgu",)}, OFFERED)


def test_class_that_may_come_later_is_taken_where_classes_are_open() -> None:
    identities = Identities({"cup": ("beaker",)}, OFFERED, open_classes=True)
    assert identities.of([ClassInfo(name="beaker")])[0].identity == "cup"


@pytest.mark.parametrize("joined", [{"cup": ("mug", "hand")}, {"hand": ("mug",)}])
def test_hands_and_objects_are_not_joined(joined: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UsageError, match="joins classes of the roles hand and object"):
        Identities(joined, OFFERED)
