"""Addresses as those are told apart who come from them."""

from ipaddress import IPv6Address, ip_address, ip_network

_LONGEST = 64


def network_of(address: str) -> str:
    """The address, or the network of an IPv6 one: whoever has one of its addresses has all of them."""
    try:
        found = ip_address(of_ipv4(address))
    except ValueError:
        return address[:_LONGEST]
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


def of_ipv4(address: str) -> str:
    """The address that one such as ::ffff:10.0.0.1 stands for, as a socket on :: tells of IPv4; others as they are."""
    try:
        mapped = IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return address if mapped is None else str(mapped)
