"""What an installation may decide. Everything else is a constant beside its use, or a row edited in the app.

Read from environment variables `PULLCORD_…`, from a file `.env`, and, for secrets, from files of the same name in
`/run/secrets`. An unknown `PULLCORD_…` name is an error: a typing mistake must not silently mean the default.
"""

import json
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "PULLCORD_"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="forbid",
        secrets_dir="/run/secrets" if Path("/run/secrets").is_dir() else None,
    )

    data_dir: Path = Field(
        default=Path("var"),
        description="Folder for everything Pullcord writes: the SQLite database, photos and voice notes, the push key. "
        "Back up this folder.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="Empty: SQLite in the data folder. For a group: postgresql+psycopg://user:password@host/name.",
    )
    storage_url: SecretStr = Field(
        default=SecretStr(""),
        description="Empty: photos and voice notes in the data folder. Or an S3 store: s3://bucket/prefix.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="The address phones use, printed into every station label. Change it before you print labels.",
    )
    host: str = Field(default="127.0.0.1", description="The network address to listen on; 0.0.0.0 for the whole plant.")
    port: int = Field(default=8000, description="The port to listen on.")
    trusted_proxies: list[str] = Field(
        default=[],
        description='Your reverse proxy, as ["10.0.0.5"] or ["10.0.0.0/24"]: its X-Forwarded-For and -Proto are '
        "believed, so that limits count phones and not the proxy.",
    )
    tls_certificate: Path | None = Field(default=None, description="PEM file of the certificate; push needs HTTPS.")
    tls_key: Path | None = Field(default=None, description="PEM file of the certificate's private key.")
    language: Literal["en", "zh"] = Field(
        default="zh", description="What people see before they or their phone have chosen a language."
    )
    push_contact: str = Field(
        default="https://github.com/pullcord/pullcord",
        description="A real mailto: or https: address that push services may write to when something is wrong.",
    )
    push_hosts: list[str] = Field(
        default=[],
        description='More push services, as ["push.example.com"] or ["127.0.0.1:9100"]. '
        "Those of Apple, Google, Microsoft and Mozilla are known. Phones name their push service themselves, "
        "so any other address is refused.",
    )
    push_trust: Path | None = Field(
        default=None, description="PEM file of a private authority that signs the plant's own push service."
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="Empty: no e-mail. smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465.",
    )
    mail_from: str = Field(default="pullcord@localhost", description="Sender of e-mails.")
    chat_hosts: list[str] = Field(
        default=[],
        description='Your own WeCom, DingTalk or Feishu servers, as ["chat.example.com"]. '
        "Those on the internet are known; robots at any other address are refused.",
    )
    inside_hosts: list[str] = Field(
        default=[],
        description='What webhooks may call inside the plant, as ["mes.plant.example", "10.1.2.0/24"]. '
        "Without this, webhooks only reach public addresses.",
    )
    machine_hosts: list[str] = Field(
        default=["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
        description='Where machines may be reached, as ["10.20.0.0/16", "oven-plc.plant.example"]: addresses, networks '
        "and names. An administrator can add no machine anywhere else.",
    )
    history_days: int = Field(
        default=30,
        ge=2,
        le=3660,
        description="For how many days what machines showed is kept: in full for one day, by the minute after that. "
        "What belongs to an alarm is kept as long as its anomaly.",
    )
    history_mb: int = Field(
        default=4000,
        ge=10,
        description="How many megabytes of the database it may fill; beyond that the oldest goes first.",
    )
    normal_minutes: int = Field(
        default=10,
        ge=1,
        le=240,
        description="How many minutes of normal values are attached to an anomaly after its machine is back to normal.",
    )
    ntfy_url: SecretStr = Field(
        default=SecretStr(""),
        description="Empty: no ntfy. https://ntfy.example.com, or with an access token https://tk_…@ntfy.example.com.",
    )
    sms_url: SecretStr = Field(
        default=SecretStr(""),
        description="Empty: no SMS. aliyun://key:secret@dysmsapi.aliyuncs.com?sign=…&template=SMS_… (variable title), "
        "tencent://id:key@sms.tencentcloudapi.com?app=…&sign=…&template=… (variable 1), or an Apprise address with "
        "{number} in it, such as twilio://SID:TOKEN@FROM/{number}.",
    )
    voice_url: SecretStr = Field(
        default=SecretStr(""),
        description="Empty: no phone calls. aliyun://key:secret@dyvmsapi.aliyuncs.com?template=TTS_…&from=… "
        "(variable title), tencent://id:key@vms.tencentcloudapi.com?app=…&template=… (variable 1), or an Apprise "
        "address with {number}, such as twilio://SID:TOKEN@FROM/{number}?method=call.",
    )
    reports_a_minute: int = Field(
        default=60,
        ge=1,
        description="How many reports one phone (or one address, for phones without a cookie) may send in a minute.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="json for a log collector.")

    @property
    def database(self) -> str:
        """The database address SQLAlchemy understands."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'pullcord.db'}"

    @property
    def storage(self) -> str:
        """The address of the file store."""
        return self.storage_url.get_secret_value() or (self.data_dir / "files").absolute().as_uri()


def load() -> Settings:
    """Read the settings; refuse names nobody knows.

    Raises:
        SystemExit: an unknown `PULLCORD_…` variable, or a value that cannot be, in a sentence.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SystemExit(f"Unknown setting {', '.join(unknown)}. The known ones are in .env.example.")
    try:
        return Settings()
    except ValidationError as error:  # what was given is not repeated: it may be a secret
        names = [".".join(map(str, e["loc"])).upper().removeprefix(PREFIX) for e in error.errors()]
        wrong = [f"{PREFIX}{name}: {e['msg']}." for name, e in zip(names, error.errors(), strict=True)]
        raise SystemExit(
            "\n".join([*wrong, "Nothing was started. What each setting means is in .env.example."])
        ) from None


def describe() -> str:
    """Return every setting with its meaning and default, as an .env file (`pullcord settings > .env.example`)."""
    lines = [
        "# Every setting, with its default. Secrets may also be files of the same name in /run/secrets.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        shown = "" if default is None else json.dumps(default) if isinstance(default, list) else str(default)
        lines += [f"# {field.description}", f"#{PREFIX}{name.upper()}={shown}", ""]
    return "\n".join(lines)
