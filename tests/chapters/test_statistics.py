"""Sentences on the statistics: each reads as one would say it, and says no more than its numbers."""

import pytest

from normstudy.chapters import statistics as say


class TestCompany:
    def test_the_answers_are_told_from_how_often_they_came(self):
        said = say.company(1524, "7", {"8": 25, "2": 15, "9": 10}, "8", 0.281, candidates=20, others=7)
        assert (
            "vary most for test image 1,524, whose class is “7”, which is taken for “8” in 25, “2” in 15, “9” in 10"
            in said
        )
        assert "training mode 50 times, beside 7 test images drawn at random each time" in said
        assert said.endswith(
            "In evaluation mode it is taken for “8” whatever is beside it, with a confidence of 28\u00a0%."
        )

    def test_it_is_said_among_which_images_this_one_was_picked(self):
        said = say.company(3, "7", {"8": 49, "7": 1}, "8", 0.3, candidates=20, others=7)
        assert said.startswith("Each of the 20 test images of which the batch variant is least sure was shown")

    def test_where_no_answer_changed_none_is_said_to(self):
        said = say.company(3, "Coat", {"Shirt": 50}, "Coat", 0.5, candidates=20, others=7)
        assert "No answer varied with the company" in said
        assert "is taken for “Shirt” every time" in said
        assert "depend on" not in said


class TestCompanyOfOthers:
    def test_the_same_to_the_bit(self):
        assert say.company_of_others({"layer": 0.0, "group": 0.0}, 20) == (
            "Asked about the same image in the same way 20 times, the layer variant and the group variant gave the "
            "same probabilities each time, bit for bit: the company makes no difference to them."
        )

    def test_the_same_but_for_rounding(self):
        said = say.company_of_others({"layer": 0.0, "group": 3e-8}, 20)
        assert said.endswith(
            "the same probabilities each time but for rounding, by up to 0 (layer) and 3×10⁻⁸ (group)."
        )

    def test_what_is_not_the_same_is_not_said_to_be(self):
        said = say.company_of_others({"layer": 0.2, "group": 0.0}, 20)
        assert "same probabilities" not in said
        assert said.endswith("vary by up to 0.2 (layer) and 0 (group).")


@pytest.mark.parametrize(("gap", "said"), [(0.0, "exactly as it was."), (2e-16, "as it was, to within 2×10⁻¹⁶.")])
def test_gamma_and_beta_give_back_one_image_and_not_the_next(gap: float, said: str):
    sentences = say.undoing(-0.0546, 0.7272, gap, 0.6911, 0.3105)
    assert f"μ = −0.0546. With γ = σ and β = μ the layer returns it {said}" in sentences
    assert sentences.endswith("has σ = 0.6911. With the same γ and β it comes back changed, by up to 0.31.")


@pytest.mark.parametrize(("gap", "said"), [(0.0, "exactly those computed here."), (2e-17, "to within 2×10⁻¹⁷.")])
def test_a_step_of_the_running_statistics(gap: float, said: str):
    sentence = say.running_step(gap, 2.2e-5, 6272)
    assert said in sentence
    assert "apart by 2×10⁻⁵. Here m = N·H·W = 6,272, so" in sentence
    assert sentence.endswith("m / (m − 1) = 1.000159.")


def test_numbers_of_statistics_agree_or_it_is_said_why_not():
    assert say.agreement(5, 1, True, []).endswith("were measured on a batch of 1 image as the formula gives.")
    assert say.agreement(5, 32, False, ["1 of 8 channels in layer 2"]).endswith("Those are 1 of 8 channels in layer 2.")
    assert say.agreement(5, 32, False, []).endswith("sets of values have equal statistics by chance.")


def test_equal_totals_are_said_once():
    assert say.totals({"batch": 7978, "layer": 7978}) == "In all, each variant has 7,978 parameters."
    assert say.totals({"batch": 7978, "layer": 8018}) == "In all, batch has 7,978, layer has 8,018 parameters."
