"""Sets the encryption of some users' docroots with lxml, as a person would write it by hand.

Arguments: aspera.conf, and a file with a JSON list of users.
"""

import json
import sys
from pathlib import Path

from lxml import etree

path, names = sys.argv[1:]
wanted = set(json.loads(Path(names).read_text()))
tree = etree.parse(path)
changed = False
for user in tree.iterfind("aaa/realms/realm/users/user"):
    if user.findtext("name") in wanted:
        docroot = user.find("file_system/access/paths/path/absolute")
        if "server-side-encryption=" not in docroot.text:
            docroot.text += ("&" if "?" in docroot.text else "?") + "server-side-encryption=AES256"
            changed = True
if changed:
    tree.write(path, xml_declaration=True, encoding="UTF-8")
