import pytest

from payments.risk.cache import FRESH_SECONDS, VersionedCache


class Source:
    """A peer's version and a clock, both set by hand."""

    def __init__(self) -> None:
        self.version: str | None = "1"
        self.now = 0.0
        self.takes = 0.0
        self.cache = VersionedCache[str](self.fetch, size=2, clock=lambda: self.now)

    async def fetch(self) -> str:
        self.now += self.takes
        if self.version is None:
            raise ConnectionError
        return self.version


@pytest.fixture
def source() -> Source:
    return Source()


def keep(cache: VersionedCache[str], key: str, value: str = "answer") -> None:
    cache.put(key, value, version=cache.version)


async def test_nothing_is_kept_before_the_first_poll(source: Source) -> None:
    keep(source.cache, "a")
    await source.cache.poll()
    assert source.cache.get("a", 0) is None


async def test_an_answer_holds_while_the_version_stands(source: Source) -> None:
    await source.cache.poll()
    keep(source.cache, "a")
    await source.cache.poll()
    assert source.cache.get("a", 0) == "answer"
    source.version = "2"
    await source.cache.poll()
    assert source.cache.get("a", 0) is None


async def test_a_poll_that_is_too_old_makes_the_cache_unusable_until_the_next(source: Source) -> None:
    await source.cache.poll()
    keep(source.cache, "a")
    source.now += FRESH_SECONDS
    assert source.cache.get("a", 0) == "answer"
    source.now += 0.001
    assert source.cache.version is None
    assert source.cache.get("a", 0) is None
    source.version = None
    with pytest.raises(ConnectionError):
        await source.cache.poll()
    assert source.cache.get("a", 0) is None
    source.version = "1"
    await source.cache.poll()
    assert source.cache.get("a", 0) == "answer"


async def test_the_age_of_a_poll_counts_from_the_asking(source: Source) -> None:
    source.takes = FRESH_SECONDS + 1
    await source.cache.poll()
    assert source.cache.version is None


async def test_an_answer_that_was_asked_for_under_an_older_version_is_not_kept(source: Source) -> None:
    await source.cache.poll()
    before = source.cache.version
    source.version = "2"
    await source.cache.poll()
    source.cache.put("a", "old", version=before)
    assert source.cache.get("a", 0) is None


async def test_an_answer_may_have_an_end(source: Source) -> None:
    await source.cache.poll()
    source.cache.put("a", "answer", version=source.cache.version, until=1000)
    assert source.cache.get("a", 999.9) == "answer"
    assert source.cache.get("a", 1000) is None


async def test_the_oldest_entry_makes_room(source: Source) -> None:
    await source.cache.poll()
    for key in "abc":
        keep(source.cache, key)
    assert [source.cache.get(key, 0) for key in "abc"] == [None, "answer", "answer"]
