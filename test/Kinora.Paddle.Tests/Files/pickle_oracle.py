"""Hashes of what CPython's own pickler writes for the tensors of PaddleWeightsWriterTests.

numpy isn't needed: stand-ins give the pickler the very values that numpy's arrays and types give it. Run with
CPython 3.8 or later; the bytes are the same for each. With a folder of recorded files as argument it first checks that
the stand-ins write them byte for byte.
"""
import hashlib
import io
import pickle
import struct
import sys
import types


def module(name):
    sys.modules[name] = types.ModuleType(name)
    return sys.modules[name]


numpy, multiarray = module("numpy"), module("numpy.core.multiarray")


class Array:
    def __init__(self, shape, code, data):
        self.shape, self.type, self.data = shape, TYPES[code], data

    def __reduce__(self):
        # New tuples each time, as numpy makes them; equal constants would be one object, which is written once.
        return reconstruct, (Array, tuple([0]), b"b"), (1, tuple(list(self.shape)), self.type, False, self.data)


class Type:
    def __init__(self, code):
        self.code = code

    def __reduce__(self):
        return Type, (self.code, False, True), (3, "|" if self.code[1] == "1" else "<", None, None, None, -1, -1, 0)


def reconstruct(*_):
    raise NotImplementedError


for value, place, name in (Array, numpy, "ndarray"), (Type, numpy, "dtype"), (reconstruct, multiarray, "_reconstruct"):
    value.__module__, value.__name__, value.__qualname__ = place.__name__, name, name
    setattr(place, name, value)
TYPES = {code: Type(code) for code in ("f4", "i8", "u1")}


def dump(tensors, protocol):
    """tensors: (name, internal name, array)."""
    state = {name: array for name, _, array in tensors}
    state["StructuredToParameterName@@"] = {name: parameter for name, parameter, _ in tensors}
    stream = io.BytesIO()
    pickle.Pickler(stream, protocol).dump(state)
    return stream.getvalue()


def tensor(shape, first):
    count = 1
    for size in shape:
        count *= size
    return Array(shape, "f4", struct.pack(f"<{count}f", *(float(first + i) for i in range(count))))


def many():
    """More items than a batch has, more values than a byte counts, arrays on both sides of a frame's size."""
    yield "big.weight", "linear_0.w_0", tensor((300, 100), 0)
    yield "big.bias", "linear_0.b_0", tensor((100,), -50)
    for i in range(1203):
        yield f"layers.{i}.weight", f"conv2d_{i}.w_0", tensor((i % 5 + 1, 1, 2, 3), i)
    yield "edge", "create_parameter_0.w_0", tensor((16384,), 3)
    yield "below", "create_parameter_1.w_0", tensor((16383,), 3)
    yield "scalar", "create_parameter_2.w_0", tensor((), 7)
    yield "empty", "create_parameter_3.w_0", tensor((0, 300), 0)
    yield "long", "create_parameter_4.w_0", tensor((1, 70000), 0)


def thousand():
    """Exactly one batch, the table of names counted."""
    for i in range(999):
        yield f"p{i}", f"create_parameter_{i}.w_0", tensor((1,), i)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            recorded = file.read()

        class Reader(pickle.Unpickler):
            def find_class(self, place, name):
                known = {
                    ("numpy.core.multiarray", "_reconstruct"): lambda *_: ReadArray(),
                    ("numpy", "ndarray"): Array,
                    ("numpy", "dtype"): lambda code, *_: ReadType(code),
                    ("_codecs", "encode"): lambda text, _: text.encode("latin1"),
                }
                return known[place, name]

        class ReadType:
            def __init__(self, code):
                self.code = code

            def __setstate__(self, state):
                assert state[0] == 3

        class ReadArray:
            def __setstate__(self, state):
                _, self.shape, self.type, _, self.data = state

        state = Reader(io.BytesIO(recorded)).load()
        names = state.pop("StructuredToParameterName@@")
        again = dump([(k, names[k], Array(v.shape, v.type.code, v.data)) for k, v in state.items()], recorded[1])
        print(path, "same" if again == recorded else "DIFFERENT")
    for make in many, thousand:
        for protocol in 2, 3, 4:
            print(make.__name__, protocol, hashlib.sha256(dump(list(make()), protocol)).hexdigest())
