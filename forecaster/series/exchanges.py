"""Where a symbol is traded: what Yahoo says about it, and whose sessions those are.

A calendar's code is one of exchange_calendars (XNYS), or `D` for what is traded every day, or `B` for what is
traded on business days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["BUSINESS_DAYS", "EVERY_DAY", "Listing", "calendar_code"]

EVERY_DAY = "D"
BUSINESS_DAYS = "B"

KINDS = {"CRYPTOCURRENCY": EVERY_DAY, "CURRENCY": BUSINESS_DAYS}
"""Calendar by Yahoo's kind of instrument, where that alone tells."""

_CODES = {
    "XNYS": "NMS NGM NCM NAS NIM NYQ NYS ASE PCX BTS CXI OEM OQB OQX OID PNK YHD SNP DJI WCB CBO",
    "CMES": "CME CBT CMX NYM",
    "XTSE": "TOR VAN NEO CNQ", "BVMF": "SAO", "XMEX": "MEX", "XBUE": "BUE", "XSGO": "SGO", "XBOG": "BVC",
    "XLON": "LSE IOB FGI AQS CXE",
    "XETR": "GER", "XFRA": "FRA", "XSTU": "STU", "XDUS": "DUS", "XHAM": "HAM",
    "XPAR": "PAR", "XAMS": "AMS", "XBRU": "BRU", "XLIS": "LIS", "XDUB": "ISE",
    "XMIL": "MIL TLO", "XMAD": "MCE MAD", "XSWX": "EBS", "XWBO": "VIE", "ASEX": "ATH",
    "XSTO": "STO", "XCSE": "CPH", "XHEL": "HEL", "XOSL": "OSL", "XICE": "ICE",
    "XTAL": "TAL", "XRIS": "RIS", "XLIT": "LIT",
    "XWAR": "WSE", "XPRA": "PRA", "XBUD": "BUD", "XBSE": "BVB", "XIST": "IST",
    "XTKS": "JPX OSA SAP FKA", "XHKG": "HKG", "XSHG": "SHH SHZ", "XTAI": "TAI TWO", "XKRX": "KSC KOE",
    "XSES": "SES", "XBOM": "BSE NSI", "XIDX": "JKT", "XKLS": "KLS", "XBKK": "SET", "XPHS": "PHS PHP", "XKAR": "KAR",
    "XASX": "ASX CXA", "XNZE": "NZE", "XJSE": "JNB", "XTAE": "TLV", "XSAU": "SAU",
}  # fmt: skip
EXCHANGES = {name: code for code, names in _CODES.items() for name in names.split()}
"""Calendar by Yahoo's short name of the exchange; boards of one country that close together share one."""

ZONES = {
    "America/New_York": "XNYS", "America/Toronto": "XTSE", "Europe/London": "XLON", "Europe/Berlin": "XETR",
    "Europe/Paris": "XPAR", "Europe/Amsterdam": "XAMS", "Europe/Zurich": "XSWX", "Europe/Rome": "XMIL",
    "Europe/Madrid": "XMAD", "Europe/Stockholm": "XSTO", "Asia/Tokyo": "XTKS", "Asia/Hong_Kong": "XHKG",
    "Asia/Shanghai": "XSHG", "Asia/Kolkata": "XBOM", "Australia/Sydney": "XASX",
}  # fmt: skip
"""Calendar by the exchange's time zone, for shares and indices of an exchange that is not listed above."""

SUFFIXES = {
    "": "XNYS", "L": "XLON", "DE": "XETR", "PA": "XPAR", "AS": "XAMS", "MI": "XMIL", "SW": "XSWX", "TO": "XTSE",
    "T": "XTKS", "HK": "XHKG", "AX": "XASX", "ST": "XSTO",
}  # fmt: skip
"""Calendar by the suffix that Yahoo gives its symbols, for snapshots that do not hold what Yahoo says."""
INDICES = {"^GSPC": "XNYS", "^DJI": "XNYS", "^IXIC": "XNYS", "^NDX": "XNYS", "^RUT": "XNYS", "^GDAXI": "XETR"}
"""Calendar by the symbol of an index: those have no suffix."""


@dataclass(frozen=True)
class Listing:
    """What Yahoo says about a symbol, in its own words; empty where it says nothing.

    Attributes:
        exchange: Short name of the exchange, such as NMS or LSE.
        exchange_name: Its long name, such as NasdaqGS.
        zone: Its time zone.
        instrument: EQUITY, ETF, INDEX, MUTUALFUND, CURRENCY, CRYPTOCURRENCY, FUTURE, ….
        currency: Of the prices; GBp is pence.
        unfinished: The session (or moment) whose prices were left out, since it was still running; else None.
    """

    exchange: str = ""
    exchange_name: str = ""
    zone: str = ""
    instrument: str = ""
    currency: str = ""
    unfinished: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Listing:
        """The same from JSON; keys of other programs are passed over."""
        return cls(**{field.name: told[field.name] for field in fields(cls) if field.name in told})


def calendar_code(symbol: str, listing: Listing | None = None) -> tuple[str, str]:
    """Whose sessions a symbol has, and how that is known.

    Example:
        >>> calendar_code("VOD.L")
        ('XLON', 'by the symbol')
        >>> calendar_code("AAPL", Listing(exchange="NMS"))
        ('XNYS', "by Yahoo's exchange NMS")
    """
    if listing and listing.exchange:
        return _by_listing(listing)
    if symbol.endswith(("-USD", "-EUR", "-GBP", "-BTC")):
        return EVERY_DAY, "by the symbol"
    if symbol.startswith("^") or "=" in symbol:
        code = INDICES.get(symbol) or (BUSINESS_DAYS if symbol.endswith("=X") else None)
    else:
        code = SUFFIXES.get(symbol.partition(".")[2])
    return (code, "by the symbol") if code else (BUSINESS_DAYS, "business days, since the symbol does not tell more")


def _by_listing(listing: Listing) -> tuple[str, str]:
    if kind := KINDS.get(listing.instrument):
        return kind, f"by Yahoo's kind of instrument {listing.instrument}"
    if code := EXCHANGES.get(listing.exchange):
        return code, f"by Yahoo's exchange {listing.exchange}"
    if listing.instrument != "FUTURE" and (code := ZONES.get(listing.zone)):
        return code, f"by the time zone {listing.zone} of Yahoo's exchange {listing.exchange}"
    return BUSINESS_DAYS, f"business days, since Yahoo's exchange {listing.exchange} is not known here"
