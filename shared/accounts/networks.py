"""What of an address tells clients apart."""

from ipaddress import IPv6Address, ip_address, ip_network

_LONGEST = 64


def network_of(address: str) -> str:
    """The address, or of an IPv6 address its /64: whoever has one address of that network has all of them."""
    try:
        found = ip_address(of_ipv4(address))
    except ValueError:
        return address[:_LONGEST]
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


def of_ipv4(address: str) -> str:
    """The IPv4 address in one such as ::ffff:10.0.0.1, which a socket on :: reports; any other address as it is."""
    try:
        mapped = IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return address if mapped is None else str(mapped)
