using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Structured name, such as "backbone.conv1_1._conv.weight".</param>
/// <param name="ParameterName">PaddlePaddle's internal name, such as "conv2d_0.w_0".</param>
/// <param name="Value">Gives the tensor when its turn comes; it may be made for the purpose, and is disposed of with the scope it is made in.</param>
public sealed record PaddleParameter(string Name, string ParameterName, Func<Tensor> Value);

/// <summary>Writes <c>.pdparams</c> files as PaddlePaddle's <c>paddle.save(layer.state_dict(), …)</c> does, byte for byte.</summary>
public static class PaddleWeightsWriter
{
    /// <summary>PaddlePaddle's default protocol.</summary>
    public const int DefaultProtocol = 4;

    private const string ParameterNamesKey = "StructuredToParameterName@@";

    /// <summary>Writes a file under its final name only when it is complete. One tensor is in memory at a time.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="parameters">The tensors in order.</param>
    /// <param name="protocol">Pickle protocol: 4, or 2 or 3 for old readers.</param>
    /// <exception cref="CheckpointException">A name occurs twice or is Paddle's own, or the file can't be written.</exception>
    public static void Write(string path, IReadOnlyList<PaddleParameter> parameters, int protocol = DefaultProtocol)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfLessThan(protocol, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(protocol, 4);
        var names = new HashSet<string>(StringComparer.Ordinal) { ParameterNamesKey };
        foreach (PaddleParameter parameter in parameters)
        {
            if (!names.Add(parameter.Name))
            {
                throw new CheckpointException($"write .pdparams: the name '{parameter.Name}' occurs twice or is reserved", path);
            }
        }

        try
        {
            AtomicFile.Write(path, stream =>
            {
                var pickle = new PickleWriter(stream, protocol);

                // The last entry is the table of internal names.
                pickle.Dictionary<PaddleParameter?>([.. parameters, null], parameter =>
                {
                    pickle.Text(parameter?.Name ?? ParameterNamesKey);
                    if (parameter is null)
                    {
                        pickle.Dictionary(parameters, item =>
                        {
                            pickle.Text(item.Name);
                            pickle.Text(item.ParameterName);
                        });
                        return;
                    }

                    using var scope = new TensorScope();
                    pickle.Array(parameter.Value());
                });
                pickle.Finish();
            });
        }
        catch (CheckpointException e) when (e.Path is null)
        {
            throw new CheckpointException(e.Message, path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"write .pdparams: {e.Message.ReplaceLineEndings(" ")}", path, e);
        }
    }
}
