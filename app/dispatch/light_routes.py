"""HTTP for the one permission of its own: that Pullcord may write a tag of a controller. It is given twice."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from app.channels.stacklight import CONFIRMATIONS
from app.dispatch import lights
from app.dispatch.routes import Secret
from app.kit.errors import NotAllowed
from app.kit.http import AnyRequest, Db, Form, Now, page, see
from app.people.models import Role
from app.people.routes import Staff


class TagForm(Form):
    node: str = ""


@get("/channels/{outlet_id:uuid}/permission")
async def permission_page(
    request: AnyRequest, outlet_id: FromPath[UUID], staff: Staff, db: Db, secret: Secret
) -> Response[Any]:
    if staff.role != Role.ADMIN:
        raise NotAllowed()
    outlet, tag = await db.read(lights.tag_of, outlet_id, secret=secret)
    return page(request, "dispatch/permission.html", outlet=outlet, tag=tag, needed=CONFIRMATIONS)


@post("/channels/{outlet_id:uuid}/permission", status_code=303)
async def allow(
    outlet_id: FromPath[UUID], data: URLEncodedBody[TagForm], staff: Staff, db: Db, now: Now, secret: Secret
) -> Redirect:
    await db.write(lights.allow, outlet_id, data.node, by=staff, now=now, secret=secret)
    return see(f"/channels/{outlet_id}/permission")


handlers = [permission_page, allow]
