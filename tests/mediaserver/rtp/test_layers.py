"""Which layers a track has, and what each costs."""

import pytest

from mediaserver.rtp.layers import ALL, OVERHEAD, Counters, Layer, TrackLayers, size_of, worthwhile


def counters(
    layer: int, rate_bps: float, *, size: tuple[int, int] = (0, 0), age: float = 0.02, **more: float
) -> Counters:
    return {"layer": layer, "rate_bps": rate_bps, "width": size[0], "height": size[1], "age": age, **more}


THREE = (
    counters(0, 1_500_000, size=(1280, 720)),
    counters(1, 500_000, size=(640, 360)),
    counters(2, 150_000, size=(320, 180)),
)


def settled(*of: Counters) -> tuple[Layer, ...]:
    """What they are once they are no longer young."""
    track = TrackLayers()
    track.measured(of, 0.0)
    return track.measured(of, 5.0)


def spatial(layers: tuple[Layer, ...]) -> list[int]:
    return [layer.spatial for layer in layers]


def test_the_cheapest_comes_first() -> None:
    layers = settled(*THREE)
    assert spatial(layers) == [2, 1, 0]
    assert [layer.rate_bps for layer in layers] == [rate * OVERHEAD for rate in (150_000, 500_000, 1_500_000)]
    assert {layer.temporal for layer in layers} == {ALL}


@pytest.mark.parametrize(
    ("number", "known", "expected"),
    [
        (0, {}, (1280, 720)),
        (2, {}, (320, 180)),
        (1, {0: (960, 540)}, (480, 270)),
        (0, {1: (480, 270)}, (960, 540)),
        (2, {0: (1000, 500), 1: (400, 200)}, (200, 100)),
        (0, {0: (33, 7)}, (33, 7)),
    ],
)
def test_unknown_sizes_are_guessed_from_the_nearest(
    number: int, known: dict[int, tuple[int, int]], expected: tuple[int, int]
) -> None:
    assert size_of(number, known) == expected


def test_a_layer_that_was_switched_off_is_gone_and_one_that_never_came_is_not_there() -> None:
    layers = TrackLayers().measured([counters(0, 0, age=5.0), THREE[1], counters(2, 0, age=-1)], 0.0)
    assert spatial(layers) == [1]


def test_when_nothing_moves_all_layers_are_quiet_and_stay() -> None:
    still = [counters(0, 1000, age=8.0, size=(1280, 720)), counters(1, 500, age=7.5, size=(640, 360))]
    assert spatial(TrackLayers().measured(still, 0.0)) == [1, 0]


def test_a_layer_that_was_dear_a_moment_ago_will_be_so_again() -> None:
    track = TrackLayers()
    track.measured([counters(0, 2_000_000)], 0.0)
    (soon,) = track.measured([counters(0, 100_000)], 2.0)
    assert soon.rate_bps > 1_500_000
    for n in range(60):
        (later,) = track.measured([counters(0, 100_000)], 2.0 + n)
    assert later.rate_bps == pytest.approx(100_000 * OVERHEAD, rel=0.06)


def test_an_encoders_ups_and_downs_count_in_part_and_a_leap_whole() -> None:
    track = TrackLayers()
    track.measured([counters(0, 1_000_000)], 0.0)
    (steady,) = track.measured([counters(0, 1_000_000)], 5.0)
    (risen,) = track.measured([counters(0, 1_200_000)], 6.0)
    assert steady.rate_bps < risen.rate_bps < 1_100_000 * OVERHEAD
    (leapt,) = track.measured([counters(0, 2_000_000)], 7.0)
    assert leapt.rate_bps == 2_000_000 * OVERHEAD


def test_a_new_layer_is_taken_to_cost_what_is_usual() -> None:
    track = TrackLayers()
    (young,) = track.measured([counters(0, 0.0, size=(640, 360))], 0.0)
    assert 300_000 < young.rate_bps < 600_000
    (known,) = track.measured([counters(0, 100_000, size=(640, 360))], 5.0)
    assert known.rate_bps == 100_000 * OVERHEAD


def test_small_changes_are_not_told() -> None:
    track = TrackLayers()
    first = track.measured([counters(0, 100_000)], 10.0)
    first = track.measured([counters(0, 100_000)], 20.0)
    assert track.measured([counters(0, 103_000)], 21.0) is first
    assert track.measured([counters(0, 120_000)], 22.0) is not first


def test_a_layer_no_cheaper_than_a_better_one_is_of_no_use() -> None:
    layers = settled(counters(0, 300_000), counters(1, 400_000), counters(2, 100_000))
    assert spatial(layers) == [2, 0]
    assert worthwhile(()) == ()


def test_temporal_layers_cost_less_and_show_fewer_frames() -> None:
    layers = settled(counters(0, 1_000_000, fps=24.0, temporal_layers=3))
    assert [(layer.temporal, layer.fps) for layer in layers] == [(0, 6.0), (1, 12.0), (ALL, 24.0)]
    assert [layer.rate_bps for layer in layers] == sorted(layer.rate_bps for layer in layers)


def test_a_track_without_media_has_no_layers() -> None:
    assert TrackLayers().measured([], 0.0) == ()
