"""State outlives a reload where its settings stay, and a configuration that is refused leaves no trace."""

from gateway.kept import Kept


def test_what_was_made_from_the_same_settings_is_the_same() -> None:
    kept = Kept()
    first = kept.draft()
    made = first.same(("dinkes", "slots"), (8, 64), list)
    first.adopt()
    assert kept.draft().same(("dinkes", "slots"), (8, 64), list) is made


def test_other_settings_or_another_name_make_another() -> None:
    kept = Kept()
    first = kept.draft()
    made = first.same(("dinkes", "slots"), (8, 64), list)
    first.adopt()
    second = kept.draft()
    assert second.same(("dinkes", "slots"), (4, 64), list) is not made
    assert second.same(("dpupr", "slots"), (8, 64), list) is not made


def test_a_draft_that_is_not_adopted_leaves_no_trace() -> None:
    kept, acts = Kept(), []
    first = kept.draft()
    made = first.same(("dinkes", "slots"), 8, list)
    first.adopt()
    refused = kept.draft()
    refused.same(("dinkes", "slots"), 4, list)
    refused.once_in_force(lambda: acts.append("shown"))
    assert kept.draft().same(("dinkes", "slots"), 8, list) is made
    assert acts == []


def test_what_is_to_be_shown_is_shown_once_in_force() -> None:
    acts: list[str] = []
    draft = Kept().draft()
    draft.once_in_force(lambda: acts.append("shown"))
    draft.adopt()
    assert acts == ["shown"]


def test_what_only_an_earlier_configuration_had_is_forgotten() -> None:
    kept = Kept()
    first = kept.draft()
    made = first.same(("dinkes", "quota"), 5000, list)
    first.adopt()
    kept.draft().adopt()
    assert kept.draft().same(("dinkes", "quota"), 5000, list) is not made
