from services.api.paging import paging
from services.api.routes.gaps import GapsQuery


def test_the_filter_goes_along_from_page_to_page() -> None:
    query = GapsQuery.model_validate({"symbol": "BTC/USD", "state": "open", "before": 90})

    pages = paging(query, 40)

    assert pages.older == "?symbol=BTC%2FUSD&state=open&before=40"
    assert pages.newest == "?symbol=BTC%2FUSD&state=open"


def test_the_only_page_leads_nowhere() -> None:
    pages = paging(GapsQuery.model_validate({"state": "open"}), None)

    assert (pages.older, pages.newest) == ("", "")
