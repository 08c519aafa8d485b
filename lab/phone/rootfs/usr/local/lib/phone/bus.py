"""Objects on the system bus as libnm reads them: an ObjectManager, properties, methods, signals.

Interfaces are described by plain tables instead of XML:
methods[interface][name] = (argument types, result types), signals[interface][name] = types; types
are separated by spaces, such as `o a{sv}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gio, GLib

Properties = dict[str, GLib.Variant]
# Gets (sender, arguments); returns the results, or None for a method that has none.
Handler = Callable[..., tuple[Any, ...] | None]

OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"


class BusError(Exception):
    """Reaches the caller as a D-Bus error: `name` is its D-Bus name, the text its message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _arguments(types: str, direction: str = "") -> str:
    extra = f" direction='{direction}'" if direction else ""
    return "".join(f"<arg type='{each}'{extra}/>" for each in types.split())


class Bus:
    """What this service exports. `root` is the path whose subtree the ObjectManager describes."""

    def __init__(
        self,
        connection: Gio.DBusConnection,
        root: str,
        methods: Mapping[str, Mapping[str, tuple[str, str]]],
        signals: Mapping[str, Mapping[str, str]],
        on_set: Callable[[str, str, str, GLib.Variant], None],
    ) -> None:
        self._connection = connection
        self._root = root
        self._methods = methods
        self._signals = signals
        self._on_set = on_set
        self._objects: dict[str, dict[str, Properties]] = {}
        self._handlers: dict[str, Mapping[str, Handler]] = {}
        self._registrations: dict[str, list[int]] = {}
        xml = (
            f"<node><interface name='{OBJECT_MANAGER}'>"
            "<method name='GetManagedObjects'>"
            "<arg type='a{oa{sa{sv}}}' direction='out'/></method>"
            "<signal name='InterfacesAdded'><arg type='o'/><arg type='a{sa{sv}}'/></signal>"
            "<signal name='InterfacesRemoved'><arg type='o'/><arg type='as'/></signal>"
            "</interface></node>"
        )
        info = Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0]
        connection.register_object(root, info, self._managed, None, None)

    def add(
        self, path: str, interfaces: dict[str, Properties], handlers: Mapping[str, Handler]
    ) -> None:
        self._objects[path] = interfaces
        self._handlers[path] = handlers
        self._registrations[path] = [
            self._connection.register_object(
                path, self._info(name, properties), self._call, self._get, self._set
            )
            for name, properties in interfaces.items()
        ]
        self._emit(self._root, OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", path, interfaces)

    def remove(self, path: str) -> None:
        interfaces = self._objects.pop(path)
        del self._handlers[path]
        for registration in self._registrations.pop(path):
            self._connection.unregister_object(registration)
        self._emit(self._root, OBJECT_MANAGER, "InterfacesRemoved", "oas", path, list(interfaces))

    def get(self, path: str, interface: str, name: str) -> Any:
        return self._objects[path][interface][name].unpack()

    def update(self, path: str, interface: str, **values: Any) -> None:
        """Set properties (their types stay as they were) and tell about those that changed."""
        known = self._objects[path][interface]
        changed: Properties = {}
        for name, value in values.items():
            variant = GLib.Variant(known[name].get_type_string(), value)
            if not variant.equal(known[name]):
                known[name] = changed[name] = variant
        if changed:
            self._emit(
                path,
                "org.freedesktop.DBus.Properties",
                "PropertiesChanged",
                "sa{sv}as",
                interface,
                changed,
                [],
            )

    def signal(self, path: str, interface: str, name: str, *values: Any) -> None:
        self._emit(path, interface, name, self._signals[interface][name], *values)

    def _emit(self, path: str, interface: str, name: str, types: str, *values: Any) -> None:
        body = GLib.Variant(f"({types.replace(' ', '')})", values)
        self._connection.emit_signal(None, path, interface, name, body)

    def _info(self, name: str, properties: Properties) -> Gio.DBusInterfaceInfo:
        xml = [f"<node><interface name='{name}'>"]
        for method, (takes, returns) in self._methods.get(name, {}).items():
            xml.append(f"<method name='{method}'>{_arguments(takes, 'in')}")
            xml.append(f"{_arguments(returns, 'out')}</method>")
        for signal, types in self._signals.get(name, {}).items():
            xml.append(f"<signal name='{signal}'>{_arguments(types)}</signal>")
        for each, value in properties.items():
            kind = value.get_type_string()
            xml.append(f"<property name='{each}' type='{kind}' access='readwrite'/>")
        xml.append("</interface></node>")
        return Gio.DBusNodeInfo.new_for_xml("".join(xml)).interfaces[0]

    def _managed(self, *call: Any) -> None:
        call[-1].return_value(GLib.Variant("(a{oa{sa{sv}}})", (self._objects,)))

    def _get(self, _connection: Any, _sender: str, path: str, interface: str, name: str) -> Any:
        return self._objects[path][interface][name]

    def _set(
        self, _c: Any, _sender: str, path: str, interface: str, name: str, value: GLib.Variant
    ) -> bool:
        self._on_set(path, interface, name, value)
        return True

    def _call(
        self,
        _connection: Any,
        sender: str,
        path: str,
        interface: str,
        method: str,
        arguments: GLib.Variant,
        invocation: Gio.DBusMethodInvocation,
    ) -> None:
        handler = self._handlers[path].get(method)
        children = [arguments.get_child_value(i) for i in range(arguments.n_children())]
        try:
            if handler is None:
                raise BusError(
                    "org.freedesktop.DBus.Error.NotSupported",
                    f"{method} is not simulated: this is a stand-in for NetworkManager",
                )
            results = handler(sender, *children)
        except BusError as error:
            invocation.return_dbus_error(error.name, str(error))
            return
        returns = self._methods[interface][method][1].replace(" ", "")
        invocation.return_value(GLib.Variant(f"({returns})", results or ()))
