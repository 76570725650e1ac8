# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roots that Azure's metadata certificates chain to, and until when a path leads to them. Data only.

The collection ships no certificate. A root is recognised by its fingerprint, wherever its bytes come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

# Where a fingerprint was published or compared with, and when that was read.
CA_PAGE = "Microsoft, Azure Certificate Authority details"
CROSS_SIGN = "same key as in the certificate that DigiCert Global Root G2 cross-signed"


class Root(NamedTuple):
    """A self-signed certificate that is trusted.

    ``subject`` is its name as RFC 4514 writes it; ``sha256`` its fingerprint; ``url`` where its CA publishes it.
    """

    name: str
    subject: str
    sha256: str
    expires: date
    url: str
    source: str
    source_date: date


_DIGICERT = "OU=www.digicert.com,O=DigiCert Inc,C=US"
_DIGICERT_G5 = "O=DigiCert\\, Inc.,C=US"
_MICROSOFT = "O=Microsoft Corporation,C=US"
_PKIOPS = "http://www.microsoft.com/pkiops/certs/"

ROOTS = (
    Root(
        name="DigiCert Global Root G2",
        subject=f"CN=DigiCert Global Root G2,{_DIGICERT}",
        sha256="cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
        expires=date(2038, 1, 15),
        url="http://cacerts.digicert.com/DigiCertGlobalRootG2.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="DigiCert Global Root G3",
        subject=f"CN=DigiCert Global Root G3,{_DIGICERT}",
        sha256="31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0",
        expires=date(2038, 1, 15),
        url="http://cacerts.digicert.com/DigiCertGlobalRootG3.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="DigiCert Global Root CA",
        subject=f"CN=DigiCert Global Root CA,{_DIGICERT}",
        sha256="4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161",
        expires=date(2031, 11, 10),
        url="http://cacerts.digicert.com/DigiCertGlobalRootCA.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="DigiCert TLS RSA4096 Root G5",
        subject=f"CN=DigiCert TLS RSA4096 Root G5,{_DIGICERT_G5}",
        sha256="371a00dc0533b3721a7eeb40e8419e70799d2b0a0f2c1d80693165f7cec4ad75",
        expires=date(2046, 1, 14),
        url="http://cacerts.digicert.com/DigiCertTLSRSA4096RootG5.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="DigiCert TLS ECC P384 Root G5",
        subject=f"CN=DigiCert TLS ECC P384 Root G5,{_DIGICERT_G5}",
        sha256="018e13f0772532cf809bd1b17281867283fc48c6e13be9c69812854a490c1b05",
        expires=date(2046, 1, 14),
        url="http://cacerts.digicert.com/DigiCertTLSECCP384RootG5.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="Microsoft RSA Root CA 2017",
        subject=f"CN=Microsoft RSA Root Certificate Authority 2017,{_MICROSOFT}",
        sha256="c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0",
        expires=date(2042, 7, 18),
        url=f"{_PKIOPS}Microsoft%20RSA%20Root%20Certificate%20Authority%202017.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="Microsoft ECC Root CA 2017",
        subject=f"CN=Microsoft ECC Root Certificate Authority 2017,{_MICROSOFT}",
        sha256="358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02",
        expires=date(2042, 7, 18),
        url=f"{_PKIOPS}Microsoft%20ECC%20Root%20Certificate%20Authority%202017.crt",
        source=CA_PAGE,
        source_date=date(2025, 11, 1),
    ),
    Root(
        name="Microsoft TLS RSA Root G2",
        subject=f"CN=Microsoft TLS RSA Root G2,{_MICROSOFT}",
        sha256="6a170583db584151e1c454eeca2a64cc5d8e484a5bd1156e720b4458654ee9e5",
        expires=date(2040, 4, 10),
        url=f"{_PKIOPS}Microsoft%20TLS%20RSA%20Root%20G2.crt",
        source=CROSS_SIGN,
        source_date=date(2026, 11, 1),
    ),
)

BY_FINGERPRINT: Mapping[str, Root] = MappingProxyType({root.sha256: root for root in ROOTS})
BY_SUBJECT: Mapping[str, Root] = MappingProxyType({root.subject: root for root in ROOTS})


class Path(NamedTuple):
    """The CAs that issue a cloud's metadata certificates below one root, and when the last of them expires."""

    cloud: str
    issuers: str
    root: str
    expires: date


# In use when this release was made. Azure changes them without notice, and being listed here gives them no trust.
# That US Government uses the same CAs as the public cloud is an assumption: none of its documents was at hand.
PATHS = (
    Path("public", "Microsoft TLS G2 RSA CA OCSP 02 to 16", "Microsoft TLS RSA Root G2", date(2029, 6, 3)),
    Path("public", "Microsoft TLS G2 RSA CA OCSP 02 to 16, cross-signed", "DigiCert Global Root G2", date(2029, 6, 3)),
    Path("public", "Microsoft Azure RSA TLS Issuing CA 03 to 08", "Microsoft RSA Root CA 2017", date(2028, 5, 25)),
    Path("us_government", "Microsoft TLS G2 RSA CA OCSP 02 to 16", "Microsoft TLS RSA Root G2", date(2029, 6, 3)),
    Path("us_government", "the same, cross-signed", "DigiCert Global Root G2", date(2029, 6, 3)),
    Path("china", "DigiCert Basic RSA CN CA G2", "DigiCert Global Root CA", date(2030, 3, 4)),
)


def last_path_ends(cloud: str) -> date:
    """The day on which the last known path from a cloud's certificates to a root ends."""
    expires = {root.name: root.expires for root in ROOTS}
    return max(min(path.expires, expires[path.root]) for path in PATHS if path.cloud == cloud)
