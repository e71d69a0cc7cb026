"""What six people who move by a formula teach the watch: learnt once, changed by nobody."""

import numpy as np
import pytest
from drift_people import LOOK, NAMES, RATE, UNITS, session

from hil.drift.learn import learn
from hil.drift.looks import Layout
from hil.drift.reference import Reference


@pytest.fixture(scope="session")
def reference() -> Reference:
    people = {str(person): [session(person, 90)] for person in range(6)}
    scales = tuple(float(one) for one in np.concatenate([one for (one,) in people.values()]).std(axis=0))
    found = learn(Layout(NAMES, UNITS, scales), people, LOOK, RATE)
    assert found is not None
    return found
