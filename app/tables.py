"""Imports every table, so that migrations and tests see all of them."""

from sqlmodel import SQLModel

import app.anomaly.models  # noqa: F401
import app.dispatch.models  # noqa: F401
import app.flows.models  # noqa: F401
import app.machines.models  # noqa: F401
import app.people.models  # noqa: F401
import app.plant.models  # noqa: F401
import app.resolve.models  # noqa: F401

metadata = SQLModel.metadata
