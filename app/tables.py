"""Imports every table, so that migrations and tests see all of them."""

from sqlmodel import SQLModel

import app.anomaly.models
import app.dispatch.models
import app.evidence.models
import app.flows.models
import app.machines.condition_models
import app.machines.history_models
import app.machines.models
import app.measure.models
import app.people.chat
import app.people.models
import app.plant.models
import app.resolve.models
import app.rosters.models  # noqa: F401

metadata = SQLModel.metadata
