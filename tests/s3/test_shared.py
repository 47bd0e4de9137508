# SPDX-License-Identifier: MIT
"""The store that the tests of real stores share: whatever one test does to it, the next one finds a store."""
from real import RealStore, Shared
from s3 import *


class Deaf(RealStore):
    """It does not end on SIGTERM, and takes objects for as long as it has its file."""
    patience, made = 0.1, 0

    def __init__(self):
        Deaf.made += 1
        super().__init__("a store that is deaf")
        self.objects = []
        self.begin()

    def begin(self):
        self.start()

    def command(self):
        return ["sh", "-c", f"trap '' TERM; echo > {self.dir}/up; exec sleep 600"]

    def takes_objects(self):
        return os.path.exists(self.dir + "/up")

    def empty(self):
        self.objects.clear()


@contextlib.contextmanager
def shared():
    Deaf.made, found = 0, Shared(Deaf)
    try:
        yield found
    finally:
        found.close()


def fails(test):
    try:
        test()
    except AssertionError:
        return True
    return False


def broken(_):
    raise AssertionError("as a test says it")


def skips(_):
    raise Skip("as a test says it")


def test_what_does_not_end_on_sigterm_is_killed_and_may_start_again():
    with shared() as one, one.given() as store:
        store.kill(signal.SIGTERM)
        assert store.process.returncode == -signal.SIGKILL, store.process.returncode
        os.unlink(store.dir + "/up")
        store.start()
        assert store.is_up()


def test_all_tests_that_leave_it_whole_have_the_same_one():
    with shared() as one:
        one.test(lambda store: store.objects.append(1))()
        with contextlib.suppress(Skip):
            one.test(skips)()
        with one.given() as store:
            assert store.objects == [] and Deaf.made == 1, (store.objects, Deaf.made)


def test_after_one_that_failed_the_next_has_another():
    with shared() as one:
        with one.given() as store:
            first = store
        assert fails(one.test(broken))
        assert first.process.poll() is not None and not os.path.exists(first.dir)
        one.test(lambda store: store.objects.append(1))()
        assert Deaf.made == 2, Deaf.made


def test_after_one_that_left_it_dead_or_half_dead_the_next_has_another():
    with shared() as one:
        one.test(lambda store: store.kill())()
        one.test(lambda store: os.unlink(store.dir + "/up"))()
        one.test(lambda store: None)()
        assert Deaf.made == 3, Deaf.made
