"""The addresses of those who call over gRPC."""

import pytest

from api.rpc.calls import _client_of


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:43356", "127.0.0.1"),
        ("ipv6:%5B2001:db8::1%5D:43356", "2001:db8::1"),
        # By IPv4, where the server listens on ::.
        ("ipv6:%5B::ffff:10.0.0.1%5D:43356", "10.0.0.1"),
        ("unix:", None),
    ],
)
def test_the_address_of_a_client_is_that_which_http_has_of_it(peer: str, address: str | None) -> None:
    assert _client_of(peer) == address
