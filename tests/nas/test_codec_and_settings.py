"""Records survive JSON; settings refuse what is out of bounds with the value in the sentence."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import codec
from nas.architecture import Architecture
from nas.events import EVENTS, Ended, EpochEnded, Measured
from nas.sentences import Refused, Sentence
from nas.settings import configure, setting, settings_of


@dataclass(frozen=True)
class Knobs:
    width: int = setting(4, low=1, high=8, help="How wide.")
    rate: float = setting(0.5, low=0, high=1, help="How often.")
    deep: bool = setting(True, help="Whether deep.")
    how: str = setting("a", options=("a", "b"), help="Which way.")
    sizes: tuple[int, ...] = setting((1, 2), low=1, high=9, help="Which sizes.")


numbers = st.floats(allow_nan=False, allow_infinity=False)
events = st.one_of(
    st.builds(EpochEnded, st.integers(1), st.integers(1), numbers, st.none() | numbers, st.none() | numbers, numbers),
    st.builds(Measured, st.dictionaries(st.text(), numbers), st.lists(st.text()).map(tuple)),
    st.builds(Ended, st.just("oom"), st.builds(Sentence, st.text(), st.dictionaries(st.text(), st.integers()))),
)


@given(events)
def test_an_event_survives_json(event):
    sent = json.loads(json.dumps(codec.dump_tagged(event)))
    assert codec.load_tagged(EVENTS, sent) == event


@given(st.lists(st.integers(0, 9)).map(tuple))
def test_the_key_of_an_architecture_depends_on_every_choice(choices):
    one = Architecture("chain", choices)
    assert one.key == Architecture("chain", choices).key
    assert one.key != Architecture("chain", (*choices, 0)).key
    assert one.key != Architecture("other", choices).key


@pytest.mark.parametrize("data", [{"epoch": "one"}, {"unknown": 1}, [], {"epoch": True}, {"type": "Nothing"}], ids=str)
def test_what_does_not_fit_is_refused(data):
    with pytest.raises(Refused):
        codec.load(EpochEnded, data)


def test_settings_are_listed_with_their_bounds():
    width, *_, sizes = settings_of(Knobs)
    assert (width.name, width.kind, width.default, width.low, width.high) == ("width", int, 4, 1, 8)
    assert sizes.many
    assert sizes.kind is int


def test_text_from_a_form_becomes_typed_values():
    built = configure(Knobs, {"width": "8", "rate": "0.25", "deep": "off", "how": "b", "sizes": "3, 5,3"})
    assert built == Knobs(8, 0.25, False, "b", (3, 5))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": 0}, "width is 0; it must be between 1 and 8."),
        ({"width": "9"}, "width is 9; it must be between 1 and 8."),
        ({"width": "wide"}, "width cannot be wide; it must be a whole number."),
        ({"width": 1.5}, "width cannot be 1.5; it must be a whole number."),
        ({"rate": "nan"}, "rate cannot be nan; it must be a number."),
        ({"how": "c"}, "how cannot be c; it is one of a, b."),
        ({"sizes": ""}, "sizes needs at least one value."),
        ({"deep": "maybe"}, "deep cannot be maybe; it must be true or false."),
        ({"widht": 3}, "There is no setting widht; the nearest is width."),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_a_sentence(values, said):
    with pytest.raises(Refused) as refusal:
        configure(Knobs, values)
    assert str(refusal.value) == said
