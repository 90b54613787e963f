namespace Kinora.Paddle;

/// <summary>The functions and classes of Python that the arrays of a weight file need; none of them is ever run.</summary>
internal enum PickleFunction
{
    /// <summary>An empty array, to be filled by what follows.</summary>
    Reconstruct,

    /// <summary>An array from its bytes (protocol 5).</summary>
    FromBuffer,

    /// <summary>A single number of a numpy type.</summary>
    Scalar,

    /// <summary>The class of arrays.</summary>
    NdArray,

    /// <summary>A numpy type.</summary>
    NumpyType,

    /// <summary>Bytes from a text (protocol 2).</summary>
    Encode,

    /// <summary>No bytes at all (protocol 2).</summary>
    Bytes,

    /// <summary>A tuple from another.</summary>
    Tuple,

    /// <summary>A dictionary.</summary>
    OrderedDict,

    /// <summary>
    /// Python's <c>eval</c>. Paddle writes tensors of static graphs as <c>eval('data', {'data': array})</c>; exactly
    /// that is taken for the array, any other use is refused.
    /// </summary>
    Eval,
}

/// <summary>The names that files give those functions.</summary>
internal static class PickleFunctions
{
    /// <summary>Looks a function up.</summary>
    /// <param name="module">Python module.</param>
    /// <param name="name">Name inside it.</param>
    /// <returns>The function, or null for everything that a weight file has no use for.</returns>
    public static PickleFunction? Find(string module, string name) => (module, name) switch
    {
        // numpy 2 moved its inner modules below an underscore; Python 2 called its own module otherwise.
        ("numpy.core.multiarray" or "numpy._core.multiarray", "_reconstruct") => PickleFunction.Reconstruct,
        ("numpy.core.multiarray" or "numpy._core.multiarray", "scalar") => PickleFunction.Scalar,
        ("numpy.core.numeric" or "numpy._core.numeric", "_frombuffer") => PickleFunction.FromBuffer,
        ("numpy", "ndarray") => PickleFunction.NdArray,
        ("numpy", "dtype") => PickleFunction.NumpyType,
        ("_codecs", "encode") => PickleFunction.Encode,
        ("builtins" or "__builtin__", "bytes") => PickleFunction.Bytes,
        ("builtins" or "__builtin__", "tuple") => PickleFunction.Tuple,
        ("builtins" or "__builtin__", "eval") => PickleFunction.Eval,
        ("collections", "OrderedDict") => PickleFunction.OrderedDict,
        _ => null,
    };
}
