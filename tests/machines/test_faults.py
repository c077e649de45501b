"""Every error of a link has its own plain words."""

import socket

import pytest
from asyncua import ua

from app.machines.faults import FAULTS, UNEXPECTED, LinkError, explain


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ua.uaerrors.BadUserAccessDenied(), "source.login_refused"),
        (ua.uaerrors.BadIdentityTokenInvalid(), "source.login_wanted"),
        (ua.uaerrors.BadSecurityChecksFailed(), "source.not_trusted_by_server"),
        (AssertionError(), "source.not_trusted_by_server"),
        (ua.uaerrors.BadCertificateUntrusted(), "source.not_trusted_by_server"),
        (ua.uaerrors.BadCertificateTimeInvalid(), "source.certificate"),
        (ua.UaError("No matching endpoints: 3, Basic256Sha256"), "source.security"),
        (ua.uaerrors.BadTcpEndpointUrlInvalid(), "source.bad_path"),
        (ua.uaerrors.BadTooManySessions(), "source.full"),
        (ua.uaerrors.BadShutdown(), "source.shut_down"),
        (ua.uaerrors.BadTimeout(), "source.no_answer"),
        (socket.gaierror(), "source.unknown_host"),
        (ConnectionRefusedError(), "source.nothing_there"),
        (TimeoutError(), "source.no_answer"),
        (ConnectionResetError(), "source.lost"),
        (LinkError("source.restarted"), "source.restarted"),
        (ExceptionGroup("two", [ExceptionGroup("one", [TimeoutError()]), ValueError()]), "source.no_answer"),
        (ValueError("whatever"), "source.unexpected"),
        (ua.uaerrors.BadInternalError(), "source.unexpected"),
    ],
)
def test_each_error_is_explained(error, code):
    assert explain(error).code == code


def test_who_only_needs_patience_is_tried_again_soon():
    patient = {fault.code.removeprefix("source.") for fault in FAULTS.values() if not fault.needs_person}

    assert patient >= {"unknown_host", "nothing_there", "no_answer", "full", "lost", "restarted", "unexpected"}
    assert "login_refused" not in patient  # hammering a wrong password locks the account


def test_codes_are_unique_and_lead_back():
    assert all(FAULTS[code].code == code for code in FAULTS)
    assert FAULTS[UNEXPECTED.code] is UNEXPECTED
    assert len({fault.message for fault in FAULTS.values()}) == len(FAULTS)
