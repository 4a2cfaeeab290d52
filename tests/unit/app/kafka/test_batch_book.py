from app.kafka.batch_book import BatchBook

VIEWS_0 = ("views", 0)
VIEWS_1 = ("views", 1)


def an_open_book(committed: int | None = None, limit: int = 9) -> BatchBook:
    book = BatchBook(limit)
    book.open(VIEWS_0, committed)
    return book


def commit(book: BatchBook) -> None:
    offsets = book.committable()
    book.confirm({page: offsets[partition] for partition, page in book.pages(offsets).items()})


def test_nothing_is_committable_before_a_batch_is_finished() -> None:
    book = an_open_book()
    ticket = book.hand_over(VIEWS_0, 0, 10)
    assert book.start(ticket)
    assert book.committable() == {}


def test_a_finished_batch_may_be_committed_up_to_its_next_offset() -> None:
    book = an_open_book()
    assert book.finish(book.hand_over(VIEWS_0, 0, 10))
    assert book.committable() == {VIEWS_0: 10}


def test_a_commit_never_passes_a_batch_still_in_flight() -> None:
    book = an_open_book()
    first, second, third = (book.hand_over(VIEWS_0, start, start + 10) for start in (0, 10, 20))
    book.finish(third)
    assert book.committable() == {}
    book.finish(first)
    assert book.committable() == {VIEWS_0: 10}
    book.finish(second)
    assert book.committable() == {VIEWS_0: 30}


def test_offsets_that_the_log_no_longer_has_do_not_hold_up_the_commit() -> None:
    book = an_open_book(committed=5)
    book.finish(book.hand_over(VIEWS_0, 40, 50))
    book.finish(book.hand_over(VIEWS_0, 90, 100))
    assert book.committable() == {VIEWS_0: 100}


def test_what_is_committed_is_not_committed_again() -> None:
    book = an_open_book()
    book.finish(book.hand_over(VIEWS_0, 0, 10))
    commit(book)
    assert book.committed(VIEWS_0) == 10
    assert book.committable() == {}


def test_offsets_without_records_behind_the_last_batch_are_committed() -> None:
    book = an_open_book()
    book.finish(book.hand_over(VIEWS_0, 0, 10))
    book.pass_over(VIEWS_0, 11)
    assert book.committable() == {VIEWS_0: 11}
    commit(book)
    book.pass_over(VIEWS_0, 11)
    assert book.committable() == {}


def test_nothing_is_passed_over_while_a_batch_is_in_flight_or_the_partition_is_not_here() -> None:
    book = an_open_book()
    ticket = book.hand_over(VIEWS_0, 0, 10)
    book.pass_over(VIEWS_0, 11)
    book.pass_over(VIEWS_1, 11)
    assert book.committable() == {}
    book.finish(ticket)
    assert book.committable() == {VIEWS_0: 10}


def test_a_commit_that_failed_leaves_the_book_as_it_was() -> None:
    book = an_open_book(committed=3)
    book.finish(book.hand_over(VIEWS_0, 3, 10))
    book.pages(book.committable())  # the commit was sent, and never confirmed
    assert book.committed(VIEWS_0) == 3
    assert book.committable() == {VIEWS_0: 10}


def test_a_committed_offset_of_zero_is_an_offset() -> None:
    book = an_open_book(committed=0)
    assert book.committed(VIEWS_0) == 0
    book.finish(book.hand_over(VIEWS_0, 0, 1))
    assert book.committable() == {VIEWS_0: 1}


def test_committing_never_goes_back_after_a_seek_to_an_earlier_offset() -> None:
    book = an_open_book(committed=100)
    book.finish(book.hand_over(VIEWS_0, 0, 50))
    assert book.committable() == {}
    book.finish(book.hand_over(VIEWS_0, 50, 101))
    assert book.committable() == {VIEWS_0: 101}


def test_a_batch_of_a_revoked_partition_does_not_start() -> None:
    book = an_open_book()
    ticket = book.hand_over(VIEWS_0, 0, 10)
    book.close([VIEWS_0])
    assert not book.start(ticket)


def test_a_batch_fetched_before_a_rebalance_does_not_start_although_its_partition_came_back() -> None:
    book = an_open_book()
    ticket = book.hand_over(VIEWS_0, 0, 10)
    book.close([VIEWS_0])
    book.open(VIEWS_0, None)
    assert not book.start(ticket)


def test_finishing_a_batch_of_a_revoked_partition_changes_nothing() -> None:
    book = an_open_book()
    ticket = book.hand_over(VIEWS_0, 0, 10)
    assert book.start(ticket)
    book.close([VIEWS_0])
    book.open(VIEWS_0, 0)
    assert not book.finish(ticket)
    assert book.committable() == {}


def test_a_commit_that_returns_after_the_partition_was_revoked_does_not_count_for_its_next_assignment() -> None:
    book = an_open_book()
    book.finish(book.hand_over(VIEWS_0, 0, 10))
    offsets = book.committable()
    pages = book.pages(offsets)
    book.close([VIEWS_0])
    book.open(VIEWS_0, 4)
    book.confirm({page: offsets[partition] for partition, page in pages.items()})
    assert book.committed(VIEWS_0) == 4


def test_a_partition_has_room_for_n_batches_and_again_when_the_oldest_is_finished() -> None:
    book = an_open_book(limit=2)
    first, second = book.hand_over(VIEWS_0, 0, 10), book.hand_over(VIEWS_0, 10, 20)
    assert not book.has_room(VIEWS_0)
    book.finish(second)
    assert not book.has_room(VIEWS_0)
    book.finish(first)
    assert book.has_room(VIEWS_0)


def test_a_partition_that_is_not_ours_has_no_room() -> None:
    assert not an_open_book().has_room(VIEWS_1)


def test_only_batches_that_started_are_waited_for() -> None:
    book = an_open_book()
    first, _ = book.hand_over(VIEWS_0, 0, 10), book.hand_over(VIEWS_0, 10, 20)
    assert book.running() == []
    book.start(first)
    assert book.running() == [first]
    book.finish(first)
    assert book.running() == []


def test_partitions_do_not_wait_for_each_other() -> None:
    book = an_open_book()
    book.open(VIEWS_1, None)
    book.hand_over(VIEWS_0, 0, 10)
    book.finish(book.hand_over(VIEWS_1, 7, 9))
    assert book.committable() == {VIEWS_1: 9}
