"""The REST answers of a recording, at the paths they were recorded at."""

from fastapi import APIRouter, Request, Response

from services.simulator.replay import Answers


def router(answers: Answers) -> APIRouter:
    """Return the route of everything no other route has."""
    routes = APIRouter(tags=["Replay"])

    @routes.get("/{path:path}")
    async def answer(request: Request) -> Response:
        """Answer as it was recorded."""
        body = answers.answer(str(request.url))
        if body is None:
            return Response('{"code":-1000,"msg":"not in the recording"}', 404, media_type="application/json")
        return Response(body, media_type="application/json")

    return routes
