"""Configurations with a secret in every place where one may be."""

from __future__ import annotations

#: Stands for the credentials, keys and passphrases of a server. No screen shows it.
HIDDEN = "DUMMY-SECRET"
CREDENTIALS = f"DUMMYKEY{HIDDEN}:{HIDDEN}%2F"


def docroot(uri: str) -> str:
    """Return the elements around a docroot."""
    return f"""<file_system>
              <access>
                <paths>
                  <path>
                    <!-- {HIDDEN} -->
                    <absolute>{uri}</absolute>
                    <show_as>{HIDDEN}</show_as>
                  </path>
                </paths>
              </access>
            </file_system>"""


def configuration(**users: str) -> str:
    """Return an aspera.conf with a group, a default and some users, given the elements in each of them."""
    blocks = "".join(
        f"""
          <user>
            <name>{name}</name>
            <token_passphrase>{HIDDEN}</token_passphrase>
            {elements}
          </user>"""
        for name, elements in users.items()
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<!-- {HIDDEN} -->
<CONF version="2">
  <server>
    <http_private_key>{HIDDEN}</http_private_key>
  </server>
  <WEB
    SshPort = "33001"
    Password = "{HIDDEN}"
  />
  <default>
    {docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/default")}
    <token>
      <encryption_key>{HIDDEN}</encryption_key>
    </token>
  </default>
  <aaa>
    <realms>
      <realm>
        <users>{blocks}
        </users>
        <groups>
          <group>
            <name>staff</name>
            {docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/staff")}
          </group>
        </groups>
      </realm>
    </realms>
  </aaa>
  <x-unknown note="{HIDDEN}"><![CDATA[{HIDDEN}]]></x-unknown>
</CONF>
"""


#: A server as it may be.
SERVER = configuration(
    xfer=docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/media/$(name)?storage-class=STANDARD"),
    other=docroot(f"s3://{CREDENTIALS}@s3.amazonaws.com/other?x-unknown={HIDDEN}"),
    local=docroot("/srv/local"),
    azure=docroot(f"azu://{CREDENTIALS}@blob.core.windows.net/c"),
    shouting=docroot(f"S3://{CREDENTIALS}@s3.amazonaws.com/c"),
    keys=f"""<file_system>
              <access>
                <paths>
                  <path><restrictions><restriction>s3://{HIDDEN}/*</restriction></restrictions></path>
                </paths>
              </access>
            </file_system>""",
    nothing="",
    addresses=docroot(
        f"s3://{CREDENTIALS}@s3.amazonaws.com/a</absolute>\n"
        f'                    <absolute peer_ip="192.0.2.1">s3://{CREDENTIALS}@s3.amazonaws.com/b-of-an-address'
    ),
    asking=docroot(f"s3://DUMMYKEY:?{HIDDEN}@s3.amazonaws.com/b"),
    commented=docroot(f"s3://s3.amazonaws.com/<!-- {HIDDEN} -->b"),
)
