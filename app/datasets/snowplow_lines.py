"""Reads Snowplow's enriched events as its pipeline writes them: tabs, no header, no quotes.

Source: docs.snowplow.io, "Stream file format": 131 cells, in this order.
"""

from collections.abc import Iterator
from pathlib import Path

from app.datasets.dialect import NAMES, SEPARATORS
from app.datasets.record import Row
from app.datasets.rows import lines_of
from app.errors import HeadraceError
from models.contract.outcome import Reason

CELLS = """
app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid geo_country
geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization ip_domain
ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery
page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium
refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action se_label
se_property se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country
ti_orderid ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max
useragent br_name br_family br_version br_type br_renderengine br_lang br_features_pdf br_features_flash
br_features_java br_features_director br_features_quicktime br_features_realplayer br_features_windowsmedia
br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family
os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width
doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone
mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_device_tstamp derived_contexts
domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint true_tstamp
"""
COLUMNS = tuple(CELLS.split())
TAB = "\t"
WAY_OUT = "write all cells, also empty ones, and a blank for a tab inside a cell"


def is_snowplow(text: str) -> bool:
    """Return whether a file that begins with `text` holds such lines.

    Raises HeadraceError when it does but for what separates the cells.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    for separator in SEPARATORS:
        cells = _cells(first, separator)
        if len(cells) == len(COLUMNS) and cells[0] != COLUMNS[0]:
            if separator != TAB:
                raise HeadraceError(
                    f"its lines have the cells of Snowplow's enriched events, but between {NAMES[separator]}; "
                    "write the file as Snowplow does: separated by tabs, without quotes"
                )
            return True
    return False


def snowplow_lines(path: Path, encoding: str) -> Iterator[Row]:
    """Yield each line as a row. A line that is not UTF-8 or has another number of cells is none."""
    for row in lines_of(path, encoding):
        try:
            cells = _cells(row.content.decode(), TAB)
        except UnicodeDecodeError:
            yield row._replace(fault=(Reason.INVALID_UTF8, "the line is not UTF-8"))
            continue
        if len(cells) != len(COLUMNS):
            detail = f"{len(cells)} cells; an enriched event has {len(COLUMNS)}: {WAY_OUT}"
            yield row._replace(fault=(Reason.INVALID_VALUE, detail))
        else:
            yield row._replace(fields=dict(zip(COLUMNS, map(_plain, cells), strict=True)))


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line. Empty ones behind the last column do no harm."""
    cells = line.rstrip("\r\n").split(separator)
    return cells[: len(COLUMNS)] if not any(map(str.strip, cells[len(COLUMNS) :])) else cells


def _plain(cell: str) -> str:
    """Return a cell without the quotes that a sheet puts around JSON."""
    is_quoted = cell.startswith(('"{""', '"[{')) and cell.endswith('"')
    return cell[1:-1].replace('""', '"') if is_quoted else cell
