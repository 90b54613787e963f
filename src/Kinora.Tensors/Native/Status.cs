using System.Text;
using System.Text.RegularExpressions;

namespace Kinora.Tensors.Native;

/// <summary>Turns native statuses into exceptions.</summary>
internal static unsafe partial class Status
{
    private const int Rejected = 1;
    private const int PeerFailed = 4;
    private const int LongestText = 300;

    /// <summary>Throws for a failed call.</summary>
    /// <param name="status">What the call returned.</param>
    /// <param name="operation">What was tried.</param>
    /// <param name="found">Describes the operands, if there are any.</param>
    public static void Check(int status, string operation, Func<string>? found = null)
    {
        if (status != 0)
        {
            throw Failure(status, operation, found?.Invoke());
        }
    }

    /// <summary>The exception for a failed call, with the calling thread's last error text.</summary>
    public static KinoraException Failure(int status, string operation, string? found)
    {
        if (status == PeerFailed)
        {
            return ProcessGroup.Failure(operation, Text());
        }

        string message = $"{operation}: {Text()}" + (string.IsNullOrEmpty(found) ? string.Empty : $"; found {found}");
        return status == Rejected ? new ShapeException(message) : new NativeException($"libtorch: {message}");
    }

    /// <summary>The calling thread's last error text, in one line.</summary>
    public static string Text()
    {
        byte* text;
        long length;
        _ = NativeMethods.kt_error(&text, &length);
        return OneLine(Encoding.UTF8.GetString(text, (int)Math.Min(length, 4096)));
    }

    // libtorch's texts run to fifty lines (all kernels of an operator); the first says what is wrong.
    private static string OneLine(string text)
    {
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        string line = SourcePlace().Replace(end < 0 ? text : text[..end], string.Empty).Trim().TrimEnd('.', ':');
        return line.Length <= LongestText ? line : string.Concat(line.AsSpan(0, LongestText - 1), "…");
    }

    // gloo begins with where in its sources it failed.
    [GeneratedRegex(@"^\[\S+\.(cc|h):\d+\] ")]
    private static partial Regex SourcePlace();
}
