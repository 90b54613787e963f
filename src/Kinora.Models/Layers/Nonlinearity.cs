using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>The nonlinearity after a convolution and its batch norm.</summary>
internal enum Nonlinearity
{
    /// <summary>None.</summary>
    None,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>x cut to [0, 6].</summary>
    Relu6,
}

/// <summary>Applies <see cref="Nonlinearity"/>.</summary>
internal static class Nonlinearities
{
    /// <summary>Applies a nonlinearity to every element.</summary>
    /// <param name="nonlinearity">Which.</param>
    /// <param name="x">Any shape.</param>
    /// <returns>Same shape; <paramref name="x"/> itself for <see cref="Nonlinearity.None"/>.</returns>
    public static Tensor Apply(this Nonlinearity nonlinearity, Tensor x) => nonlinearity switch
    {
        Nonlinearity.None => x,
        Nonlinearity.Relu => x.Relu(),
        _ => x.Relu6(),
    };
}
