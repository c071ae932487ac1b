"""``dataclass`` as in the standard library, without its cost at start-up.

``dataclasses`` generates and compiles five methods for each class when a module is imported: half a
millisecond per class, and half of the start-up time of a program with a hundred classes, of which a
run instantiates twenty. Here the methods that need not be fast are shared by all classes, and
``__init__`` is generated when the first object is created. (``records.pyi`` tells type checkers that
these are the library's own.)

Supported: ``frozen``, ``slots`` and ``eq``, defaults, ``field(default_factory=…, repr=…)``,
``replace`` and ``fields``; ``__post_init__``; copying and pickling; ``match``. Records cannot inherit
from records. ``cached_property`` is here for the same reason.

A check of a small net takes 1.89 times the CPU time with ``dataclasses`` (``bench/startup_tricks.py``).
"""

from operator import attrgetter


class cached_property:  # noqa: N801
    """As in ``functools``, but without its lock, which costs a microsecond per use; no view has two threads."""

    def __init__(self, make):
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, holder, owner=None):
        if holder is None:
            return self
        value = holder.__dict__[self._name] = self._make(holder)
        return value


class FrozenRecordError(AttributeError):
    """An attempt to set or delete an attribute of a frozen record."""


class Field:
    """What a field declares besides its type."""

    __slots__ = ("default_factory", "repr")

    def __init__(self, default_factory, repr):
        self.default_factory = default_factory
        self.repr = repr


class Named:
    """A field of a record, as returned by ``fields``."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name


def field(*, default_factory, repr=True):
    """A field whose default is created afresh for each object."""
    return Field(default_factory, repr)


def fields(record):
    """The fields of a record or of its class, in order."""
    return tuple(map(Named, record.__match_args__))


def replace(record, /, **changes):
    """A copy of a record with some fields changed."""
    for name in record.__match_args__:
        if name not in changes:
            changes[name] = getattr(record, name)
    return type(record)(**changes)


def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True):
    """Turn a class with annotated names into a record."""
    if cls is None:
        return lambda cls: _record(cls, frozen, slots, eq)
    return _record(cls, frozen, slots, eq)


def _record(cls, frozen, slots, eq):
    names = tuple(cls.__annotations__)
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    made = {name for name, default in defaults.items() if isinstance(default, Field)}
    shared = {"__match_args__": names, "__repr__": _repr}
    shared["_shown"] = tuple(n for n in names if n not in made or defaults[n].repr)
    if eq:
        shared |= {"_values": attrgetter(*names) if names else bool, "__eq__": _eq}
        shared["__hash__"] = _hash if frozen else None
    if frozen:
        shared |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if frozen and slots:
        shared |= {"__getstate__": _getstate, "__setstate__": _setstate}
    body = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    own = dict(body)
    for name, value in shared.items():
        body.setdefault(name, value)
    if eq and "__eq__" not in own and own.get("__hash__") is None:
        body["__hash__"] = shared["__hash__"]
    for name in defaults if slots else made:
        del body[name]
    if slots:
        body["__slots__"] = names
    body["__init__"] = _first_init(lambda: (record, names, defaults, frozen))
    record = type(cls)(cls.__name__, cls.__bases__, body)
    return record


def _first_init(about):
    """An ``__init__`` that generates the real one and replaces itself with it."""

    def first(self, /, *args, **given):
        cls, *rest = about()
        cls.__init__ = _init(cls, *rest)
        cls.__init__(self, *args, **given)

    return first


def _init(cls, names, defaults, frozen):
    """The ``__init__`` of a record, as one would write it oneself."""
    scope = {"_set": object.__setattr__, "_missing": _MISSING}
    arguments, lines = [], []
    for name in names:
        value = name
        if name in defaults:
            default = defaults[name]
            if isinstance(default, Field):
                scope[f"_make_{name}"], default = default.default_factory, _MISSING
                value = f"_make_{name}() if {name} is _missing else {name}"
            scope[f"_default_{name}"] = default
            arguments.append(f"{name}=_default_{name}")
        else:
            arguments.append(name)
        slot = cls.__dict__.get(name)
        if frozen and hasattr(slot, "__set__"):  # a slot's own setter need not be looked up
            scope[f"_set_{name}"] = slot.__set__
            lines.append(f" _set_{name}(self, {value})")
        else:
            lines.append(f" _set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec(f"def __init__({', '.join(['self', *arguments])}):\n" + ("\n".join(lines) or " pass"), scope)
    init = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


_MISSING = object()


def _repr(self):
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
    return f"{type(self).__qualname__}({inside})"


def _eq(self, other):
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._values(self) == self._values(other)


def _hash(self):
    return hash(self._values(self))


def _refuse(self, name, *value):
    raise FrozenRecordError(f"cannot assign to field {name!r}" if value else f"cannot delete field {name!r}")


def _getstate(self):
    return [getattr(self, name) for name in self.__match_args__]


def _setstate(self, state):
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)
