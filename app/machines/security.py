"""How a source is spoken to: encrypted or not, as whom. The names are those of OPC UA Part 7."""

from dataclasses import dataclass
from enum import StrEnum


class Policy(StrEnum):
    """With which algorithms. Older ones than these are broken, and not spoken."""

    NONE = "None"
    BASIC256_SHA256 = "Basic256Sha256"
    AES128_SHA256_RSA_OAEP = "Aes128_Sha256_RsaOaep"
    AES256_SHA256_RSA_PSS = "Aes256_Sha256_RsaPss"


class Mode(StrEnum):
    NONE = "None"
    SIGN = "Sign"
    SIGN_AND_ENCRYPT = "SignAndEncrypt"


class Login(StrEnum):
    """Who we are to the server."""

    ANONYMOUS = "anonymous"
    NAME = "name"
    CERTIFICATE = "certificate"


CHOICES: tuple[tuple[Policy, Mode], ...] = (
    *((policy, mode) for mode in (Mode.SIGN_AND_ENCRYPT, Mode.SIGN) for policy in reversed(list(Policy)[1:])),
    (Policy.NONE, Mode.NONE),
)
"""What can be chosen, the best first."""


@dataclass(frozen=True, slots=True)
class Security:
    """What has been decided for a source. `trusted`: the certificate (DER) that a person has compared and accepted."""

    policy: Policy = Policy.NONE
    mode: Mode = Mode.NONE
    login: Login = Login.ANONYMOUS
    sealed: str = ""
    isolated: bool = False
    trusted: bytes = b""

    @property
    def may_carry_secrets(self) -> bool:
        """Whether a password may travel: only where nobody reads it, or a person said that nobody can listen."""
        return self.isolated or self.mode is Mode.SIGN_AND_ENCRYPT


UNSECURED = Security()


@dataclass(frozen=True, slots=True)
class Offer:
    """One way in that a server offers. `level`: the higher, the better it thinks it is."""

    policy: Policy
    mode: Mode
    level: int
    logins: frozenset[Login]
    certificate: bytes

    @property
    def key(self) -> str:
        return f"{self.policy}/{self.mode}"
