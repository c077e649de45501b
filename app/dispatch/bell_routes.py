"""HTTP for a phone that was rung at the start of a shift: its owner is here."""

from uuid import UUID

from litestar import post
from litestar.params import FromPath, URLEncodedBody

from app.dispatch import answers
from app.dispatch.routes import Secret, TokenForm
from app.kit.errors import N_
from app.kit.http import Db, Now
from app.kit.i18n import gettext


@post("/deliveries/{delivery_id:uuid}/presence", status_code=200)
async def present(
    delivery_id: FromPath[UUID], data: URLEncodedBody[TokenForm], db: Db, secret: Secret, now: Now
) -> dict[str, object]:
    """As with acceptance, only a POST counts: a link that is opened puts nobody on duty."""
    await db.write(answers.present, delivery_id, data.token, secret=secret, now=now)
    body = gettext(N_("Your phone rings. Calls of this shift come to you."))
    return {"title": gettext(N_("You are on duty")), "body": body, "won": True}


handlers = [present]
