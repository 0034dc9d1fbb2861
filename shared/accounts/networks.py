"""Addresses as those are told apart who come from them."""

from ipaddress import ip_address, ip_network

_LONGEST = 64


def network_of(address: str) -> str:
    """The address, or the network of an IPv6 one: whoever has one of its addresses has all of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:_LONGEST]
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)
