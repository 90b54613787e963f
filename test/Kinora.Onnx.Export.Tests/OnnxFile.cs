using Kinora.Onnx.Export.Format;
using Microsoft.ML.OnnxRuntime;

namespace Kinora.Onnx.Export.Tests;

/// <summary>Runs and reads ONNX files.</summary>
internal static class OnnxFile
{
    /// <summary>Runs a file on ONNX Runtime, with its strictest checks of shapes and types while loading.</summary>
    public static float[] Run(string path, float[] clips, long[] shape)
    {
        OnnxRuntimeLibrary.EnsureLoaded();
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddSessionConfigEntry("session.strict_shape_type_inference", "1");
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        using var session = new InferenceSession(path, options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(clips, shape);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, ["clips"], [input], ["logits"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public static ModelProto Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return ModelProto.Parser.ParseFrom(stream);
    }
}
