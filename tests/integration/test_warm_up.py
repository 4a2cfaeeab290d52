"""After warming up nothing is left to compile: no user waits for numba."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from numba.core.dispatcher import Dispatcher
import models
from builders import PureWorker, batch, event, teach
from models.contract.event_codec import EventSettings
from models.contract.events import Item, Kind
from models.core.warm_up import warm_up
from models.recommender import RecommenderSettings

warm_up(RecommenderSettings(), EventSettings())
packages = ("contract", "items", "neighbours", "users", "vectors")
names = [f"models.{name}" for _, name, _ in pkgutil.iter_modules(models.__path__)]
names += [f"models.{p}.{name}" for p in packages for _, name, _ in pkgutil.iter_modules([f"{models.__path__[0]}/{p}"])]
modules = [importlib.import_module(name) for name in names]
kernels = {value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
before = {kernel.py_func.__qualname__: len(kernel.signatures) for kernel in kernels}
worker = PureWorker(capacity=1)
teach(worker.recommender, {"s1": ["a", "b", "c"], "s2": ["a", "b"]})
worker.recommender.catalogue.upsert(Item("b", "B", category="shelf"))
worker.recommender.catalogue_changed()
worker.decide(batch(event("1", item_id="a"), event("2", user_id="u2", item_id="x", session_id="s"), b"{"))
worker.decide(batch(event("3", item_id="b"), event("3"), topic="orders"), Kind.ORDER)
worker.recommender.set_vectors("m", ["a", "b", "c"], np.eye(3, 8, dtype=np.float32))
worker.decide(batch(event("4", item_id="c"), first=9))
worker.recommender.similar("a", 5)
after = {kernel.py_func.__qualname__: len(kernel.signatures) for kernel in kernels}
print({name: (before[name], count) for name, count in after.items() if count != before[name]})
"""


def test_a_worker_that_warmed_up_compiles_nothing_more() -> None:
    tests = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tests)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "{}"), done.stderr[-2000:]
