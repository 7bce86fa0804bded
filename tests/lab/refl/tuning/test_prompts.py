"""The prompts of a tuning are parted so that checks can tell what they are there to tell."""

from __future__ import annotations

import pytest

from imagereward_lab.refl.tuning.prompts import prompt_splits


@pytest.mark.parametrize(("number", "checked", "shared"), [(9, 8, True), (15, 2, False), (300, 8, False)])
def test_of_ten_prompts_or_more_some_are_set_aside_and_never_one_alone(tmp_path, number, checked, shared):
    path = tmp_path / "prompts.txt"
    path.write_text("\n".join(f"a star {each}" for each in range(number)), encoding="utf-8")
    found = prompt_splits(path, None, 10, 8, seed=0)
    assert (len(found.checked), found.shared) == (checked, shared)
    assert len(found.tuned) == (number if shared else number - checked)
    assert shared or not set(found.tuned) & set(found.checked)
