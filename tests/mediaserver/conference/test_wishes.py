import pytest

from mediaserver.conference.wishes import BEST, Wish, fitting_layer


def sizes(*widths: int) -> tuple[int, dict[int, tuple[int, int]]]:
    """Layers of 16:9 by width, 0 where it is not known: their number, and those known."""
    return len(widths), {layer: (width, width * 9 // 16) for layer, width in enumerate(widths) if width}


@pytest.mark.parametrize(
    ("wish", "layers", "layer"),
    [
        pytest.param(Wish(), sizes(1280, 640, 320), BEST, id="no limit"),
        pytest.param(Wish(max_width=640), sizes(1280), BEST, id="only one layer"),
        pytest.param(Wish(max_width=640), sizes(1280, 640, 320), 1, id="exact"),
        pytest.param(Wish(max_width=639), sizes(1280, 640, 320), 2, id="a pixel less"),
        pytest.param(Wish(max_height=400), sizes(1280, 640, 320), 1, id="by height"),
        pytest.param(Wish(max_width=640, max_height=200), sizes(1280, 640, 320), 2, id="the stricter one counts"),
        pytest.param(Wish(max_width=100), sizes(1280, 640, 320), 2, id="never less than the smallest"),
        pytest.param(Wish(max_width=4000), sizes(1280, 640, 320), 0, id="more than there is"),
        pytest.param(Wish(max_width=480), sizes(0, 480, 0), 1, id="guessed from the middle"),
        pytest.param(Wish(max_width=960), sizes(0, 480, 0), 0, id="double of the one below"),
        pytest.param(Wish(max_width=240), sizes(0, 480, 0), 2, id="half of the one above"),
        pytest.param(Wish(max_width=640), sizes(0, 0, 0), 1, id="nothing known: a usual camera"),
    ],
)
def test_the_best_layer_within_the_wish_is_chosen(wish, layers, layer):
    assert fitting_layer(wish, *layers) == layer


def test_sound_and_picture_are_wished_for_apart():
    assert [Wish(audio=False).includes(kind) for kind in ("audio", "video")] == [False, True]
