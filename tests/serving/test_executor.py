"""The queue before the models: bounded, with deadlines, and requests put together."""

import threading
import time

import numpy as np
import pytest

from forecaster.serving.executor import Executor
from forecaster.serving.failures import Refused
from forecaster.serving.settings import Limits
from forecaster.serving.signature import Signature, TensorSpec


def spec(*shape):
    return TensorSpec("x:0", "float", np.dtype("float32"), shape)


JOINABLE = Signature("serving_default", {"x": spec(-1, 1)}, {"y": spec(-1, 1)}, "")
SCALAR = Signature("serving_default", {"x": spec(1)}, {"y": spec(1)}, "")


class Held:
    """A model that doubles, once it is let go; it notes the rows of its calls."""

    def __init__(self):
        self.go, self.busy = threading.Event(), threading.Event()
        self.calls: list[int] = []

    def run(self, signature, inputs):
        self.busy.set()
        assert self.go.wait(10)
        self.calls.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise Refused(400, "negative")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def executor():
    made = Executor(Limits(threads=1, queue=4, rows=8))
    yield made
    made.stop()


def ask(executor, model, *values, signature=JOINABLE, seconds=10.0):
    array = np.array(values, np.float32)
    array = array[:, None] if signature is JOINABLE else array
    return executor.submit(model, signature, {"x": array}, len(values), time.monotonic() + seconds)


def answer(future):
    return future.result(10)["y"].ravel().tolist()


def test_what_waits_for_one_model_goes_together_and_each_gets_its_own(executor):
    model, other = Held(), Held()
    first = ask(executor, model, 1)
    assert model.busy.wait(10)
    waiting = [ask(executor, model, 2, 3), ask(executor, other, 9), ask(executor, model, 4), ask(executor, model, 5, 6)]
    model.go.set()
    other.go.set()
    assert answer(first) == [2]
    assert [answer(future) for future in waiting] == [[4, 6], [18], [8], [10, 12]]
    assert (model.calls, other.calls) == ([1, 5], [1])


def test_no_more_rows_than_allowed_go_together_and_batches_of_one_shape_only(executor):
    model = Held()
    first = ask(executor, model, 0)
    assert model.busy.wait(10)
    waiting = [ask(executor, model, *range(6)), ask(executor, model, *range(6)), ask(executor, model, 1, 2)]
    waiting.append(ask(executor, model, 5, signature=SCALAR))
    model.go.set()
    assert answer(first) == [0]
    assert [len(answer(future)) for future in waiting] == [6, 6, 2, 1]
    assert model.calls == [1, 8, 6, 1]


def test_what_one_request_does_wrong_the_others_do_not_suffer_for(executor):
    model = Held()
    first = ask(executor, model, 0)
    assert model.busy.wait(10)
    good, bad = ask(executor, model, 7), ask(executor, model, -1)
    model.go.set()
    assert answer(first) == [0]
    assert answer(good) == [14]
    with pytest.raises(Refused, match="negative"):
        bad.result(10)


def test_a_full_queue_refuses_and_recovers(executor):
    model = Held()
    first = ask(executor, model, 0)
    assert model.busy.wait(10)
    waiting = [ask(executor, model, value) for value in range(4)]
    with pytest.raises(Refused, match="4 requests are waiting") as refused:
        ask(executor, model, 9)
    assert (refused.value.status, refused.value.retry_after) == (503, 1)
    model.go.set()
    assert answer(first) == [0]
    assert [answer(future) for future in waiting] == [[0], [2], [4], [6]]
    assert answer(ask(executor, model, 9)) == [18]


def test_a_request_whose_time_is_over_is_not_run(executor):
    model = Held()
    first = ask(executor, model, 0)
    assert model.busy.wait(10)
    late, good = ask(executor, model, 1, seconds=0.0), ask(executor, model, 2)
    model.go.set()
    assert answer(first) == [0]
    with pytest.raises(Refused) as refused:
        late.result(10)
    assert refused.value.status == 504
    assert answer(good) == [4]
    assert model.calls == [1, 1]


def test_stopping_answers_what_waits_and_takes_no_more():
    executor, model = Executor(Limits(threads=1)), Held()
    waiting = [ask(executor, model, value) for value in range(3)]
    model.go.set()
    executor.stop()
    assert [answer(future) for future in waiting] == [[0], [2], [4]]
    with pytest.raises(Refused, match="stopping"):
        ask(executor, model, 1)
