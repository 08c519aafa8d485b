"""NetworkManager's D-Bus interface, as much of it as nmcli uses here."""

from __future__ import annotations

from typing import Any

from gi.repository import GLib

NAME = "org.freedesktop.NetworkManager"
ROOT = "/org/freedesktop"
MANAGER = f"{ROOT}/NetworkManager"
SETTINGS = f"{MANAGER}/Settings"
AGENTS = f"{MANAGER}/AgentManager"
DEVICE = f"{MANAGER}/Devices/1"
IP4 = f"{MANAGER}/IP4Config/1"
I_SETTINGS = f"{NAME}.Settings"
I_PROFILE = f"{NAME}.Settings.Connection"
I_ACTIVE = f"{NAME}.Connection.Active"
I_DEVICE = f"{NAME}.Device"
I_WIRELESS = f"{NAME}.Device.Wireless"
I_POINT = f"{NAME}.AccessPoint"
I_IP4 = f"{NAME}.IP4Config"
I_AGENTS = f"{NAME}.AgentManager"

CONF = "a{sa{sv}}"
METHODS = {
    NAME: {
        "GetDevices": ("", "ao"),
        "GetAllDevices": ("", "ao"),
        "GetPermissions": ("", "a{ss}"),
        "CheckConnectivity": ("", "u"),
        "state": ("", "u"),
        "ActivateConnection": ("o o o", "o"),
        "AddAndActivateConnection": (f"{CONF} o o", "o o"),
        "AddAndActivateConnection2": (f"{CONF} o o a{{sv}}", "o o a{sv}"),
        "DeactivateConnection": ("o", ""),
    },
    I_AGENTS: {
        "Register": ("s", ""),
        "RegisterWithCapabilities": ("s u", ""),
        "Unregister": ("", ""),
    },
    I_SETTINGS: {
        "ListConnections": ("", "ao"),
        "GetConnectionByUuid": ("s", "o"),
        "AddConnection": (CONF, "o"),
        "AddConnection2": (f"{CONF} u a{{sv}}", "o a{sv}"),
    },
    I_PROFILE: {
        "GetSettings": ("", CONF),
        "GetSecrets": ("s", CONF),
        "Update": (CONF, ""),
        "Update2": (f"{CONF} u a{{sv}}", "a{sv}"),
        "Save": ("", ""),
        "Delete": ("", ""),
    },
    I_DEVICE: {"Disconnect": ("", "")},
    I_WIRELESS: {
        "GetAccessPoints": ("", "ao"),
        "GetAllAccessPoints": ("", "ao"),
        "RequestScan": ("a{sv}", ""),
    },
}
SIGNALS = {
    NAME: {"StateChanged": "u"},
    I_SETTINGS: {"NewConnection": "o", "ConnectionRemoved": "o"},
    I_PROFILE: {"Updated": "", "Removed": ""},
    I_ACTIVE: {"StateChanged": "u u"},
    I_DEVICE: {"StateChanged": "u u u"},
}

# Name, type and first value of each property.
_MANAGER = """Devices ao, AllDevices ao, Checkpoints ao, ActiveConnections ao, PrimaryConnection o,
PrimaryConnectionType s, ActivatingConnection o, NetworkingEnabled b True, WirelessEnabled b True,
WirelessHardwareEnabled b True, WwanEnabled b, WwanHardwareEnabled b, WimaxEnabled b,
WimaxHardwareEnabled b, RadioFlags u 1, Metered u, Startup b True, Version s, VersionInfo au,
Capabilities au, State u 20, Connectivity u, ConnectivityCheckAvailable b,
ConnectivityCheckEnabled b, ConnectivityCheckUri s, GlobalDnsConfiguration a{sv}"""
_DEVICE = """Udi s, Path s, Interface s, IpInterface s, Driver s, DriverVersion s,
FirmwareVersion s, Capabilities u 1, State u 30, StateReason (uu), ActiveConnection o, Ip4Config o,
Dhcp4Config o, Ip6Config o, Dhcp6Config o, Managed b True, Autoconnect b True, FirmwareMissing b,
NmPluginMissing b, DeviceType u 2, AvailableConnections ao, PhysicalPortId s, Mtu u 1500,
Metered u, LldpNeighbors aa{sv}, Real b True, Ip4Connectivity u, Ip6Connectivity u,
InterfaceFlags u 65539, HwAddress s, Ports ao"""
_WIRELESS = """HwAddress s, PermHwAddress s, Mode u 2, Bitrate u 65000, AccessPoints ao,
ActiveAccessPoint o, WirelessCapabilities u 255, LastScan x -1"""
_POINT = """Flags u, WpaFlags u, RsnFlags u, Ssid ay, Frequency u, HwAddress s, Mode u 2,
MaxBitrate u 65000, Bandwidth u 20, Strength y, LastSeen i"""
_ACTIVE = """Connection o, SpecificObject o, Id s, Uuid s, Type s, Devices ao, State u 1,
StateFlags u, Default b, Ip4Config o, Dhcp4Config o, Default6 b, Ip6Config o, Dhcp6Config o, Vpn b,
Master o, Controller o"""
_IP4 = """Addresses aau, AddressData aa{sv}, Gateway s, Routes aau, RouteData aa{sv},
Nameservers au, NameserverData aa{sv}, Domains as, Searches as, DnsOptions as, DnsPriority i,
WinsServers au, WinsServerData as"""
_TABLES = {
    NAME: _MANAGER,
    I_SETTINGS: "Connections ao, Hostname s, CanModify b True, VersionId t",
    I_PROFILE: "Unsaved b, Flags u, Filename s, VersionId t",
    I_ACTIVE: _ACTIVE,
    I_DEVICE: _DEVICE,
    I_WIRELESS: _WIRELESS,
    I_POINT: _POINT,
    I_IP4: _IP4,
    I_AGENTS: "",
}
_EMPTY: dict[str, Any] = {"s": "", "o": "/", "b": False, "(uu)": (0, 0), "a{sv}": {}}


def properties(interface: str, **values: Any) -> dict[str, GLib.Variant]:
    """All properties of an interface, with `values` in place of their first ones."""
    made: dict[str, GLib.Variant] = {}
    for line in filter(None, (each.strip() for each in _TABLES[interface].split(","))):
        name, kind, *rest = line.split()
        empty: Any = [] if kind.startswith("a") else 0
        value: Any = _EMPTY.get(kind, empty)
        if rest:
            value = rest[0] == "True" if kind == "b" else int(rest[0])
        made[name] = GLib.Variant(kind, values.get(name, value))
    return made
