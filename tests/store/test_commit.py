"""The end of doubt."""

import pytest

from artreg.errors import AlreadyExists, Conflict, OutcomeUnknown, StorageError
from artreg.store.commit import commit, create
from store.faults import LostAnswers, Wrapper


@pytest.mark.parametrize("losses", [1, 2, 3])
def test_write_that_took_effect_is_found(memory_store, losses):
    commit(LostAnswers(memory_store), "a", b"mine")
    assert memory_store.read("a") == b"mine"
    commit(LostAnswers(memory_store, losses, effect=False), "b", b"mine")
    assert memory_store.read("b") == b"mine"


def test_own_first_try_is_not_taken_for_somebody_else(memory_store):
    commit(LostAnswers(memory_store, sent_again=True), "a", b"mine")
    assert memory_store.read("a") == b"mine"


@pytest.mark.parametrize("theirs", [b"theirs", b"", b"much longer than mine"])
def test_lost_race_is_told(memory_store, theirs):
    memory_store.create("a", theirs)
    for store in (memory_store, LostAnswers(memory_store, effect=False)):
        with pytest.raises(AlreadyExists):
            commit(store, "a", b"mine")
    assert memory_store.read("a") == theirs


def test_doubt_that_stays_is_told(memory_store):
    with pytest.raises(OutcomeUnknown):
        commit(LostAnswers(memory_store, 100, effect=False), "a", b"mine")


class _Unreadable(Wrapper):
    def read(self, key, limit=0):
        raise StorageError("no answer", hint="look at the network", status=500)


def test_what_cannot_be_read_back_is_unknown(memory_store):
    memory_store.create("a", b"mine")
    with pytest.raises(OutcomeUnknown, match=r"^a may or may not be our own: no answer$") as caught:
        commit(_Unreadable(memory_store), "a", b"mine")
    assert caught.value.hint == "look at the network"
    assert caught.value.details["status"] == 500


class _Measured(Wrapper):
    """Notes how much was to be read at most."""

    def read(self, key, limit=0):
        self.limit = limit
        return super().read(key, limit)


@pytest.mark.parametrize(("ours", "limit"), [(b"mine", 4), (b"", 1)])
def test_no_more_is_read_back_than_was_written(memory_store, ours, limit):
    memory_store.create("a", ours)
    store = _Measured(memory_store)
    commit(store, "a", ours)
    assert store.limit == limit


class _Failing(Wrapper):
    def __init__(self, store, *errors):
        super().__init__(store)
        self._errors = list(errors)

    def create(self, key, data):
        if self._errors:
            raise self._errors.pop(0)
        self.inner.create(key, data)


def test_refusal_after_a_doubt_leaves_the_doubt(memory_store):
    with pytest.raises(StorageError) as caught:
        commit(_Failing(memory_store, StorageError("full")), "a", b"x")
    assert not isinstance(caught.value, OutcomeUnknown)
    doubt = OutcomeUnknown("hm", hint="again", status=503)
    with pytest.raises(OutcomeUnknown, match=r"^hm$") as caught:
        commit(_Failing(memory_store, doubt, StorageError("full")), "a", b"x")
    assert caught.value.hint == "again"
    assert caught.value.details["status"] == 503


class _Vanishing(Wrapper):
    def create(self, key, data):
        raise AlreadyExists("there")


def test_what_vanished_before_it_could_be_read_is_unknown(memory_store):
    with pytest.raises(OutcomeUnknown, match=r"^a was there and then was not$") as caught:
        commit(_Vanishing(memory_store), "a", b"x")
    assert caught.value.hint == "run the command again; something else is deleting there"


def test_what_a_clean_up_took_away_is_written_again(memory_store):
    commit(_Failing(memory_store, *[Conflict("cleaned")] * 3), "a", b"x")
    create(_Failing(memory_store, Conflict("cleaned")), "b", b"x")
    assert (memory_store.read("a"), memory_store.read("b")) == (b"x", b"x")


def test_a_clean_up_that_never_ends_is_told_but_not_after_a_doubt(memory_store):
    cleaned = [Conflict("cleaned")] * 4
    with pytest.raises(Conflict):
        commit(_Failing(memory_store, *cleaned), "a", b"x")
    with pytest.raises(OutcomeUnknown):
        commit(_Failing(memory_store, OutcomeUnknown("hm"), *cleaned), "a", b"x")
