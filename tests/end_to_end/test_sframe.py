"""The encryption's own modules, run in a browser: RFC 9605's vectors, shapes of frames, chains of keys, replays."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.browsers import Chromium
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TOOLS = """
const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const text = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const load = (name) => import(`/static/e2ee/${name}.js`);
const same = (one, other) => text(one) === text(other);
"""
BASE_KEY = "000102030405060708090a0b0c0d0e0f"
METADATA = "4945544620534672616d65205747"
PLAIN = "64726166742d696574662d736672616d652d656e63"
SEALED = "9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0b091c07018ce4adb34eb"


class Bench:
    """A page in which JavaScript is run, as the body of a function of `given`."""

    def __init__(self, page: Any) -> None:
        self._page = page

    async def run(self, body: str, given: Any = None) -> Any:
        return await self._page.page.evaluate(f"async (given) => {{ {TOOLS} {body} }}", given)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(server: RunningServer, chromium: Chromium) -> AsyncIterator[Bench]:
    page = await chromium.page()
    await page.open(server.url)
    yield Bench(page)
    await page.close()


@pytest.mark.parametrize(
    ("kid", "ctr", "header"),
    [
        pytest.param(0, 0, "00", id="smallest"),
        pytest.param(0, 7, "07", id="largest in the first byte"),
        pytest.param(0, 255, "08ff", id="a byte of count"),
        pytest.param(1, 65536, "1a010000", id="three bytes of count"),
        pytest.param(255, 0, "80ff", id="a byte of key"),
        pytest.param(256, 256, "9901000100", id="two and two"),
        pytest.param(4294967296, 281474976710655, "cd0100000000ffffffffffff", id="five and six"),
    ],
)
async def test_headers_are_those_of_the_rfc(bench: Bench, kid: int, ctr: int, header: str) -> None:
    body = """
        const {writeHeader, readHeader} = await load("sframe");
        const written = writeHeader(given.kid, given.ctr);
        return [text(written), readHeader(Uint8Array.of(...written, ...new Uint8Array(16)))];"""
    written, read = await bench.run(body, {"kid": kid, "ctr": ctr})
    assert written == header
    assert read == {"kid": kid, "ctr": ctr, "size": len(header) // 2}


async def test_a_frame_is_sealed_and_opened_as_the_rfc_has_it(bench: Bench) -> None:
    """Appendix C.3, AES_128_GCM_SHA256_128."""
    body = """
        const {deriveKey, seal, open, readHeader} = await load("sframe");
        const key = await deriveKey(hex(given.key), 0x123);
        const sealed = await seal(key, 0x4567, hex(given.plain), hex(given.metadata));
        const opened = await open(key, readHeader(sealed), sealed, hex(given.metadata));
        return [text(key.salt), text(sealed), text(opened)];"""
    given = {"key": BASE_KEY, "plain": PLAIN, "metadata": METADATA}
    assert await bench.run(body, given) == ["75234edefe07819026751816", SEALED, PLAIN]


SLICE = "6588" + "84000003000001"
FRAMES = [
    pytest.param("vp8", True, "10" * 40, 10, id="vp8 key frame"),
    pytest.param("vp8", False, "11" * 40, 3, id="vp8"),
    pytest.param("vp8", False, "11", 1, id="vp8 of one byte"),
    pytest.param("vp9", True, "82" * 40, 0, id="vp9"),
    pytest.param("opus", False, "78" * 20, 0, id="opus"),
    pytest.param("opus", False, "78", 0, id="opus of one byte"),
    pytest.param(
        "h264", True, "0000000167420c1f" + "0000000168ce" + "000001" + SLICE, 21, id="h264 with parameter sets"
    ),
    pytest.param("h264", False, "00000001" + "419a0000" + "0000030102", 8, id="h264 with zeros at the border"),
    pytest.param("av1", True, "1200" + "0a0300aabb" + "3204deadbeef", 5, id="av1 key frame"),
    pytest.param("av1", False, "1200" + "3a021234" + "3204deadbeef", 0, id="av1 of two units"),
]


@pytest.mark.parametrize(("codec", "key", "frame", "readable"), FRAMES)
async def test_a_frame_comes_back_as_it_was_and_keeps_what_forwarding_needs(
    bench: Bench, codec: str, key: bool, frame: str, readable: int
) -> None:
    body = """
        const {shaped, wrapped, unwrapped, restored} = await load("shapes");
        const frame = hex(given.frame);
        const parts = shaped(frame, given.codec, given.key);
        const sealed = Uint8Array.from({length: 300}, (_, at) => [0, 0, at % 5, 0, 0, 1, 0, 0, 0, 0][at % 10]);
        const sent = wrapped(parts, sealed);
        const arrived = unwrapped(sent);
        return {
            sealed: same(arrived.secret, sealed), metadata: same(arrived.metadata, parts.metadata),
            frame: text(restored(arrived, parts.secret)), sent: text(sent),
        };"""
    result = await bench.run(body, {"frame": frame, "codec": codec, "key": key})
    without_delimiter = frame.removeprefix("1200") if codec == "av1" else frame
    assert result["sealed"]
    assert result["metadata"]
    assert result["frame"] == without_delimiter
    assert result["sent"].startswith(without_delimiter[: 2 * readable])
    if codec == "h264":
        rest = bytes.fromhex(result["sent"])[readable - 4 :]
        assert not any(start in rest for start in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


@pytest.mark.parametrize(
    ("codec", "frame"),
    [
        pytest.param("h265", "00" * 10, id="unknown codec"),
        pytest.param("h264", "0000000167420c1f", id="no slice"),
        pytest.param("av1", "0aff0a", id="cut off"),
    ],
)
async def test_what_cannot_be_taken_apart_is_not_sent(bench: Bench, codec: str, frame: str) -> None:
    body = 'return (await load("shapes")).shaped(hex(given.frame), given.codec, true);'
    assert await bench.run(body, {"codec": codec, "frame": frame}) is None


CHAIN = """
    const {Keys, Opening} = await load("opening");
    const {Sealing} = await load("sealing");
    const {ratcheted} = await load("sframe");
    const base = new Uint8Array(32).fill(7);
    const name = {sender: 9, generation: 1, step: 0};
    const sealing = new Sealing();
    sealing.use({...name, baseKey: base});
    const plain = hex("0102030405060708");
    const frame = () => sealing.sealed(plain, "vp9", false);
    let missing = 0;
    const receive = (userId = "ada") => {
        const keys = new Keys(() => missing++);
        const opening = new Opening(keys, false);
        opening.owner = userId;
        return {keys, opening};
    };
    const opens = async ({opening}, sealed) => {
        const opened = await opening.opened(sealed);
        return opened !== null && same(opened, plain);
    };
"""


async def test_receivers_follow_a_ratchet_and_newcomers_cannot_go_back(bench: Bench) -> None:
    body = f"""{CHAIN}
        const member = receive(), newcomer = receive();
        member.keys.add({{...name, userId: "ada", baseKey: base}});
        const before = await frame();
        const next = await ratcheted(base);
        sealing.use({{...name, step: 1, baseKey: next}});
        newcomer.keys.add({{...name, step: 1, userId: "ada", baseKey: next}});
        const after = await frame();
        return {{
            member: [await opens(member, before), await opens(member, after)],
            newcomer: [await opens(newcomer, before), await opens(newcomer, after)],
        }};"""
    assert await bench.run(body) == {"member": [True, True], "newcomer": [False, True]}


async def test_frames_are_given_out_once_unchanged_and_for_their_sender_only(bench: Bench) -> None:
    body = f"""{CHAIN}
        const member = receive(), elsewhere = receive("bob");
        for (const {{keys}} of [member, elsewhere]) keys.add({{...name, userId: "ada", baseKey: base}});
        const sealed = await frame(), other = await frame();
        const changed = (await frame()).map((byte, at) => at === 12 ? byte ^ 1 : byte);
        return {{
            once: await opens(member, sealed), again: await opens(member, sealed), late: await opens(member, other),
            changed: await opens(member, changed), plain: await opens(member, plain),
            elsewhere: await opens(elsewhere, sealed),
        }};"""
    expected = {"once": True, "again": False, "late": True, "changed": False, "plain": False, "elsewhere": False}
    assert await bench.run(body) == expected


async def test_a_missing_key_is_told_and_an_older_one_is_not_taken(bench: Bench) -> None:
    body = f"""{CHAIN}
        const member = receive();
        const unknown = await opens(member, await frame());
        member.keys.add({{...name, generation: 2, userId: "ada", baseKey: new Uint8Array(32)}});
        member.keys.add({{...name, userId: "ada", baseKey: base}});
        return [unknown, missing, await opens(member, await frame())];"""
    assert await bench.run(body) == [False, 1, False]


IDENTITIES = """
    const {Identity} = await load("identity");
    const [ada, bob, eve] = await Promise.all(["secret", "secret", "other"].map((secret) => Identity.make(secret)));
    const known = async (of, id, by) => by.member(id, await of.announcement(id));
"""


async def test_only_who_has_the_secret_is_recognized_and_only_under_its_id(bench: Bench) -> None:
    body = f"""{IDENTITIES}
        const announcement = await ada.announcement("ada");
        return [
            (await bob.member("ada", announcement))?.userId ?? null,
            await bob.member("mal", announcement),
            await bob.member("ada", await eve.announcement("ada")),
            await bob.member("ada", {{key: 1}}),
            await bob.member("ada", null),
        ];"""
    assert await bench.run(body) == ["ada", None, None, None, None]


async def test_a_key_is_handed_to_one_other_alone(bench: Bench) -> None:
    body = f"""{IDENTITIES}
        const carl = await Identity.make("secret");
        const baseKey = new Uint8Array(32).fill(5);
        const handed = await ada.handOver(await known(bob, "bob", ada), {{generation: 70000, step: 3, baseKey}});
        const giver = await known(ada, "ada", bob);
        const got = await bob.receive(giver, handed);
        const fromCarl = await bob.receive(await known(carl, "carl", bob), handed);
        const byCarl = await carl.receive(giver, handed);
        return [got.generation, got.step, same(got.baseKey, baseKey), byCarl, fromCarl];"""
    assert await bench.run(body) == [70000, 3, True, None, None]


async def test_the_safety_number_is_that_of_all_who_see_the_same_keys(bench: Bench) -> None:
    body = f"""{IDENTITIES}
        const mal = await Identity.make("secret");
        const ofAda = await ada.safetyNumber([await known(bob, "bob", ada)], "ada");
        const ofBob = await bob.safetyNumber([await known(ada, "ada", bob)], "bob");
        const betweenThem = await ada.safetyNumber([await known(mal, "bob", ada)], "ada");
        return [ofAda === ofBob, ofAda === betweenThem, /^(\\d{{5}} ){{5}}\\d{{5}}$/.test(ofAda)];"""
    assert await bench.run(body) == [True, False, True]
