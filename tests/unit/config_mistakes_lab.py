"""Mistakes in the form of a lab's file, and in all that is not a phone."""

from __future__ import annotations

from typing import Any

from config_samples import ED25519, GONE

NAME_OF_STACK = (
    "is no name for a stack; use letters, digits, hyphens and underscores, "
    "a letter or digit first, at most 61"
)
NAME_OF_VARIABLE = "is no name for a variable; use letters, digits and underscores, no digit first"
KEYS = (
    "cleanup, engine, entryAddress, lock, password, phones, registry, routing, secrets, ssh, "
    "stacks, swarm, tokenEpoch, wifi, wifiPassword"
)

# id: (what is changed in a sound configuration, the line that a person reads)
LAB: dict[str, tuple[dict[str, Any], str]] = {
    "unknown top-level key": ({"phons": "x"}, "phons: unknown key; did you mean phones?"),
    "unknown top-level key, nothing near": (
        {"zzz": "x"},
        f"zzz: unknown key; known here are {KEYS}",
    ),
    "a registry on no phone": (
        {"registry": {"phone": "phone-9"}},
        "registry.phone: there is no phone-9 under phones; name one of them, such as phone-1",
    ),
    "a registry without a phone": (
        {"registry": {"port": 5080}},
        "registry.phone: is missing: the phone that it is on, for example phone-1",
    ),
    "a registry at a port without two more": (
        {"registry": {"phone": "phone-1", "port": 65535}},
        "registry.port: 65535 is too large; at most 65533",
    ),
    "a cache of no size": (
        {"registry": {"phone": "phone-1", "cacheSize": "4 GB"}},
        "registry.cacheSize: '4 GB' is not a size; write one like 500m or 4g (m or g)",
    ),
    "a cache of a bare number": (
        {"registry": {"phone": "phone-1", "cacheSize": 10}},
        "registry.cacheSize: '10' is not a size; write one like 500m or 4g (m or g)",
    ),
    "a heartbeat of a bare number": (
        {"swarm": {"heartbeat": 20}},
        "swarm.heartbeat: '20' is not a duration; write one like 20s, 90m or 8760h",
    ),
    "a wifi whose name is a number": (
        {"wifi/ssid": 1234},
        "wifi.ssid: must be text, not a number; write it in quotes",
    ),
    "a registry with a misspelt phone": (
        {"registry": {"phones": "phone-1"}},
        "registry.phones: unknown key; did you mean phone?",
    ),
    "a stack with a misspelt file": (
        {"stacks/web": {"fiel": "web.yml"}},
        "stacks.web.fiel: unknown key; did you mean file?",
    ),
    "a misspelt login": (
        {"ssh": GONE, "shh": {"user": "cloudlet", "privateKeyFile": "id"}},
        "shh: unknown key; did you mean ssh?",
    ),
    "a misspelt password of the wifi": (
        {"wifiPassword": GONE, "wifiPasword": "my-secure-password"},
        "wifiPasword: unknown key; did you mean wifiPassword?",
    ),
    "unknown key of a registry": (
        {"registry": {"phone": "phone-1", "size": "4g"}},
        "registry.size: unknown key; did you mean cacheSize?",
    ),
    "unknown key of a phone": (
        {"phones/phone-1/adress": "192.168.8.11"},
        "phones.phone-1.adress: unknown key; did you mean address?",
    ),
    "key in another spelling": (
        {"phones/phone-1/host_key": ED25519},
        "phones.phone-1.host_key: unknown key; did you mean hostKey?",
    ),
    "unknown key of a phone that is named like a key": (
        {"phones/ssh": {"address": "192.168.8.13", "lables": {}}},
        "phones.ssh.lables: unknown key; did you mean labels?",
    ),
    "unknown key of a phone's ssh": (
        {"phones/phone-1/ssh": {"host": "127.0.0.1", "prot": 1}},
        "phones.phone-1.ssh.prot: unknown key; did you mean port?",
    ),
    "map for text": (
        {"ssh/user": {}},
        "ssh.user: must be text, not a map",
    ),
    "text for map": ({"phones": "phone-1"}, "phones: must be a map (key: value), not text"),
    "list for map": ({"stacks": ["web"]}, "stacks: must be a map (key: value), not a list"),
    "text for a phone": (
        {"phones/phone-2": "192.168.8.12"},
        "phones.phone-2: must be a map, not text; write {address: 192.168.8.12}",
    ),
    "text for a registry": (
        {"registry": "phone-1"},
        "registry: must be a map, not text; write {phone: phone-1}",
    ),
    "text for a stack": (
        {"stacks/web": "web.yml"},
        "stacks.web: must be a map, not text; write {file: web.yml}",
    ),
    "text for a wifi, with a space": (
        {"wifi": "my wifi"},
        "wifi: must be a map, not text; write {ssid: 'my wifi'}",
    ),
    "text for a login": (
        {"ssh": "cloudlet"},
        "ssh: must be a map, not text; write {user: …, privateKeyFile: …}",
    ),
    "list for a registry": (
        {"registry": ["phone-1"]},
        "registry: must be a map, not a list; write {phone: …}",
    ),
    "text for what needs nothing": (
        {"engine": "docker"},
        "engine: must be a map (key: value), not text",
    ),
    "number for text": (
        {"stacks/web/variables": {"REPLICAS": 3}},
        "stacks.web.variables.REPLICAS: must be text, not a number; write it in quotes",
    ),
    "true for text": (
        {"phones/phone-1/labels": {"storage": True}},
        "phones.phone-1.labels.storage: must be text, not true or false; write it in quotes",
    ),
    "text for number": (
        {"phones/phone-1/ssh": {"host": "127.0.0.1", "port": "2201"}},
        "phones.phone-1.ssh.port: must be a whole number, not text; write it without quotes",
    ),
    "fraction for whole number": (
        {"engine": {"logMaxFiles": 1.5}},
        "engine.logMaxFiles: must be a whole number",
    ),
    "text for list": ({"cleanup": "images"}, "cleanup: must be a list, as in [a, b], not text"),
    "phone with nothing under it": (
        {"phones/phone-2": None},
        "phones.phone-2: is empty; fill it in or remove the key",
    ),
    "key with nothing under it": ({"stacks": ""}, "stacks: is empty; fill it in or remove the key"),
    "invalid JSON": (
        {"engine": '{"logMaxSize": "5m"'},
        "engine: is not valid JSON: Expecting ',' delimiter",
    ),
    "name doubled in JSON text": (
        {"engine": '{"logMaxFiles": 1, "logMaxFiles": 2}'},
        "engine: 'logMaxFiles' is given twice",
    ),
    "user of ssh": (
        {"ssh/user": "Cloud Let"},
        "ssh.user: 'Cloud Let' is no user name; use lower-case letters, digits, - and _",
    ),
    "ssh missing": (
        {"ssh": GONE},
        "ssh: is missing: how phones are logged into, as in {user: cloudlet, "
        "privateKeyFile: ~/.ssh/id_ed25519}",
    ),
    "public key for private": (
        {"ssh/privateKeyFile": "id.pub"},
        "ssh.privateKeyFile: 'id.pub' is the public half; write 'id'",
    ),
    "key for its path": (
        {"ssh/privateKeyFile": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb"},
        "ssh.privateKeyFile: holds the key itself; write the path of the file that holds it",
    ),
    "no path of a key": (
        {"ssh/privateKeyFile": ""},
        "ssh.privateKeyFile: is empty; write a path like ~/.ssh/id_ed25519",
    ),
    "name of a stack": (
        {"stacks/go coffee": {"file": "web.yml"}},
        f"stacks.'go coffee': {NAME_OF_STACK}",
    ),
    "stack file not there": (
        {"stacks/web/file": "stacks/wbe.yml"},
        "stacks.web.file: there is no file 'stacks/wbe.yml'; paths start where Pulumi.yaml is",
    ),
    "stack file is a directory": (
        {"stacks/web/file": "."},
        "stacks.web.file: there is no file '.'; paths start where Pulumi.yaml is",
    ),
    "no path of a stack file": (
        {"stacks/web/file": ""},
        "stacks.web.file: is empty; write a path like stacks/portainer.yml",
    ),
    "no file for a stack": (
        {"stacks/web": {}},
        "stacks.web.file: is missing: the compose file, seen from Pulumi.yaml, for example "
        "stacks/portainer.yml",
    ),
    "one file and several for a stack": (
        {"stacks/web/files": ["web.yml"]},
        "stacks.web: has both file and files; keep one of them",
    ),
    "no file among several": (
        {"stacks/web": {"files": []}},
        "stacks.web.files: is empty; fill it in or remove the key",
    ),
    "one of several files not there": (
        {"stacks/web": {"files": ["web.yml", "more.yml"]}},
        "stacks.web.files[1]: there is no file 'more.yml'; paths start where Pulumi.yaml is",
    ),
    "no path of one of several files": (
        {"stacks/web": {"files": ["web.yml", ""]}},
        "stacks.web.files[1]: is empty; write a path like stacks/portainer.yml",
    ),
    "name of a variable": (
        {"stacks/web/variables": {"A-B": "x"}},
        f"stacks.web.variables.A-B: {NAME_OF_VARIABLE}",
    ),
    "routing": ({"routing": "mehs"}, "routing: must be 'mesh' or 'host', not 'mehs'"),
    "entry address": (
        {"entryAddress": "localhost"},
        "entryAddress: 'localhost' is not an IPv4 address; write one like 192.168.8.12",
    ),
    "cleanup item": (
        {"cleanup": ["images", "wifi"]},
        "cleanup[1]: must be 'images' or 'volumes', not 'wifi'",
    ),
    "mirror without a scheme": (
        {"engine": {"registryMirror": "192.168.8.2:5000"}},
        "engine.registryMirror: is not an http or https URL; "
        "write one like http://192.168.8.2:5000",
    ),
    "mirror with an impossible port": (
        {"engine": {"registryMirror": "http://192.168.8.2:500000"}},
        "engine.registryMirror: is not an http or https URL; "
        "write one like http://192.168.8.2:5000",
    ),
    "mirror with a path": (
        {"engine": {"registryMirror": "http://192.168.8.2:5000/v2"}},
        "engine.registryMirror: must end after host and port, as in http://192.168.8.2:5000",
    ),
    "log size": (
        {"engine": {"logMaxSize": "5 MB"}},
        "engine.logMaxSize: '5 MB' is not a size; write one like 5m (k, m or g, 6 digits at most)",
    ),
    "log files": (
        {"engine": {"logMaxFiles": 0}},
        "engine.logMaxFiles: 0 is too small; at least 1",
    ),
    "duration": (
        {"swarm": {"certificateExpiry": "1 year"}},
        "swarm.certificateExpiry: '1 year' is not a duration; write one like 20s, 90m or 8760h",
    ),
    "certificate shorter than Swarm takes": (
        {"swarm": {"certificateExpiry": "59m59s"}},
        "swarm.certificateExpiry: '59m59s' is too short; Swarm needs at least 1h",
    ),
    "log size without end": (
        {"engine": {"logMaxSize": "9999999m"}},
        "engine.logMaxSize: '9999999m' is not a size; write one like 5m (k, m or g, 6 digits at "
        "most)",
    ),
    "mirror with a line's end": (
        {"engine": {"registryMirror": "http://a\nb"}},
        "engine.registryMirror: 'http://a\\nb' holds a character that no host's name has",
    ),
    "lock file with a name too long": (
        {"lock": f"locks/{'a' * 300}.yml"},
        f"lock: 'locks/{'a' * 54}…' cannot be the name of a file",
    ),
    "certificates that outlive everybody": (
        {"swarm": {"certificateExpiry": "99999999h"}},
        "swarm.certificateExpiry: '99999999h' is too long; write 876000h at most",
    ),
    "heartbeat too long": (
        {"swarm": {"heartbeat": "99999999999h"}},
        "swarm.heartbeat: '99999999999h' is too long; write 1h at most",
    ),
    "heartbeat too short": (
        {"swarm": {"heartbeat": "100ms"}},
        "swarm.heartbeat: '100ms' is too short; Swarm needs at least 1s",
    ),
    "data path port below Docker's": (
        {"swarm": {"dataPathPort": 80}},
        "swarm.dataPathPort: 80 is too small; at least 1024",
    ),
    "data path port above Docker's": (
        {"swarm": {"dataPathPort": 50000}},
        "swarm.dataPathPort: 50000 is too large; at most 49151",
    ),
    "negative token epoch": ({"tokenEpoch": -1}, "tokenEpoch: -1 is too small; at least 0"),
    "token epoch that is no number": (
        {"tokenEpoch": "soon"},
        "tokenEpoch: must be a whole number, not text",
    ),
    "address pool that is no network": (
        {"swarm": {"addressPool": "10.20.0.0"}},
        "swarm.addressPool: '10.20.0.0' is not a network; write one like 10.20.0.0/16",
    ),
    "address pool with host bits": (
        {"swarm": {"addressPool": "10.20.0.1/16"}},
        "swarm.addressPool: '10.20.0.1/16' is not the start of a network; write 10.20.0.0/16",
    ),
    "address pool over a phone": (
        {"swarm": {"addressPool": "192.168.0.0/16"}, "phones/phone-1/address": "10.1.2.3"},
        "swarm.addressPool: 192.168.0.0/16 holds the address of phone-2; "
        "choose a network that nothing else uses",
    ),
    "default address pool over phones": (
        {"phones/phone-1/address": "10.20.0.1", "phones/phone-2/address": "10.20.0.2"},
        "swarm.addressPool: 10.20.0.0/16 (the default) holds the addresses of phone-1 and phone-2; "
        "choose a network that nothing else uses",
    ),
    "address pool of loopback addresses": (
        {"swarm": {"addressPool": "127.16.0.0/16"}},
        "swarm.addressPool: 127.16.0.0/16 lies in 127.0.0.0/8, which no container can have; "
        "choose a private network such as 10.20.0.0/16",
    ),
    "address pool of everything": (
        {"swarm": {"addressPool": "0.0.0.0/0"}},
        "swarm.addressPool: 0.0.0.0/0 holds 0.0.0.0/8, which no container can have; "
        "choose a private network such as 10.20.0.0/16",
    ),
    "address pool of multicast addresses": (
        {"swarm": {"addressPool": "224.1.0.0/16"}},
        "swarm.addressPool: 224.1.0.0/16 lies in 224.0.0.0/4, which no container can have; "
        "choose a private network such as 10.20.0.0/16",
    ),
    "address pool of reserved addresses": (
        {"swarm": {"addressPool": "240.1.0.0/16"}},
        "swarm.addressPool: 240.1.0.0/16 lies in 240.0.0.0/4, which no container can have; "
        "choose a private network such as 10.20.0.0/16",
    ),
    "address pool beside the phones on their network": (
        {
            "swarm": {"addressPool": "192.168.8.128/25", "addressPoolMask": 26},
            "wifi/static": {"gateway": "192.168.8.1"},
        },
        "swarm.addressPool: 192.168.8.128/25 is part of the phones' own network, 192.168.8.0/24; "
        "choose a network that nothing else uses",
    ),
    "data on the port of swarm's gossip": (
        {"swarm": {"dataPathPort": 7946}},
        "swarm.dataPathPort: 7946 is Swarm's own port on every phone; choose another, "
        "or leave it out for 4789",
    ),
    "data on the managers' port": (
        {"swarm": {"dataPathPort": 2377}},
        "swarm.dataPathPort: 2377 is Swarm's own port on every phone; choose another, "
        "or leave it out for 4789",
    ),
    "networks larger than their pool": (
        {"swarm": {"addressPool": "10.30.0.0/20", "addressPoolMask": 16}},
        "swarm.addressPoolMask: a network with prefix length 16 does not fit into 10.30.0.0/20; "
        "at least 20",
    ),
    "wifi without a password": (
        {"wifiPassword": GONE},
        "wifiPassword: is missing, and wifi needs it: "
        "pulumi config set --secret cloudlet:wifiPassword",
    ),
    "wifi without a name": (
        {"wifi/ssid": ""},
        "wifi.ssid: has 0 bytes; a wifi's name has 1 to 32",
    ),
    "wifi with a space at the end": (
        {"wifi/ssid": "cloudlet "},
        "wifi.ssid: begins or ends with a space, which is not supported; rename the network",
    ),
    "wifi with a line's end": (
        {"wifi/ssid": "cloud\nlet"},
        "wifi.ssid: holds a character that cannot be printed, a line's end or a tab",
    ),
    "static without a gateway": (
        {"wifi/static": {"prefix": 24}},
        "wifi.static.gateway: is missing: the access point's IPv4 address, for example 192.168.8.1",
    ),
    "static with a gateway that is a phone": (
        {"wifi/static": {"gateway": "192.168.8.12"}},
        "wifi.static.gateway: 192.168.8.12 is the address of phone-2; give the access point's",
    ),
    "static on another network": (
        {"wifi/static": {"gateway": "192.168.8.1"}, "phones/phone-2/address": "192.168.9.12"},
        "phones.phone-2.address: 192.168.9.12 is not on the network of wifi.static, "
        "192.168.8.0/24; the phone could not reach its gateway",
    ),
    "static with the network's own address": (
        {"wifi/static": {"gateway": "192.168.8.1"}, "phones/phone-2/address": "192.168.8.0"},
        "phones.phone-2.address: 192.168.8.0 is the network's own address of 192.168.8.0/24, which "
        "no phone can have; give it another of that network",
    ),
    "static with the broadcast address": (
        {
            "wifi/static": {"gateway": "192.168.8.9", "prefix": 29},
            "phones/phone-1/address": "192.168.8.10",
            "phones/phone-2/address": "192.168.8.15",
        },
        "phones.phone-2.address: 192.168.8.15 is the broadcast address of 192.168.8.8/29, which "
        "no phone can have; give it another of that network",
    ),
    "static with a gateway that is nobody's": (
        {"wifi/static": {"gateway": "192.168.8.255"}},
        "wifi.static.gateway: 192.168.8.255 is the broadcast address of 192.168.8.0/24; "
        "give the access point's",
    ),
    "static with a prefix that holds no phone": (
        {"wifi/static": {"gateway": "192.168.8.1", "prefix": 31}},
        "wifi.static.prefix: 31 is too large; at most 30",
    ),
    "wifi to forget is the one to join": (
        {"wifi/forget": ["cloudlet"]},
        "wifi.forget: 'cloudlet' is the wifi to join; take it off the list",
    ),
    "wifi password too short": (
        {"wifiPassword": "1234567"},
        "wifiPassword: has 7 characters; WPA takes 8 to 63, or 64 hexadecimal digits",
    ),
    "wifi password too long": (
        {"wifiPassword": "a" * 65},
        "wifiPassword: has 65 characters; WPA takes 8 to 63, or 64 hexadecimal digits",
    ),
    "wifi password of 64 that are no key": (
        {"wifiPassword": "z" * 64},
        "wifiPassword: has 64 characters, so all must be hexadecimal digits; WPA takes 8 to 63",
    ),
    "wifi password that WPA cannot spell": (
        {"wifiPassword": "pässword"},
        "wifiPassword: holds a character outside printable ASCII, which WPA does not take",
    ),
    "password empty": ({"password": ""}, "password: is empty; give it a value or remove the key"),
    "password that is a map": (
        {"password": '{"secur": "v1:abc"}'},
        "password: must be text, not a map",
    ),
    "secret that is a map": (
        {"secrets/PORTAINER_ADMIN_PASSWORD": {"secur": "v1:abc"}},
        "secrets.PORTAINER_ADMIN_PASSWORD: must be text, not a map",
    ),
    "secret empty": (
        {"secrets/POSTGRES_PASSWORD": ""},
        "secrets.POSTGRES_PASSWORD: is empty; give it a value or remove the key",
    ),
    "name of a secret": (
        {"secrets/postgres-password": "x"},
        f"secrets.postgres-password: {NAME_OF_VARIABLE}",
    ),
    "password too short for Portainer": (
        {"secrets/PORTAINER_ADMIN_PASSWORD": "elevenchars"},
        "secrets.PORTAINER_ADMIN_PASSWORD: has 11 characters; Portainer takes no password under 12",
    ),
}
