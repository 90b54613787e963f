using System.Globalization;
using System.Text.Json;

namespace Kinora.Training;

/// <summary>
/// metrics.jsonl: what a run measured, one JSON object a line, in the order of the steps. docs/run-files.md names the
/// fields.
/// </summary>
/// <remarks>A line reaches the file in one write, so that a process which dies leaves at most one torn line, the last.</remarks>
internal sealed class MetricsFile : IDisposable
{
    private const byte LineEnd = (byte)'\n';
    private readonly FileStream _file;
    private readonly MemoryStream _line = new();

    private MetricsFile(FileStream file) => _file = file;

    /// <summary>Opens the file and cuts off what lies behind the point where the run goes on.</summary>
    /// <param name="path">It is made if it isn't there.</param>
    /// <param name="steps">Optimiser steps of the whole run that count; lines about later ones go. −1: the run begins, all go.</param>
    /// <param name="epochs">Finished epochs that count.</param>
    public static MetricsFile Open(string path, long steps, int epochs)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        try
        {
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            int keep = 0;
            foreach ((int start, int end) in Lines(bytes))
            {
                if (!Counts(bytes.AsMemory(start, end - start), steps, epochs))
                {
                    break;
                }

                keep = end + 1;
            }

            file.SetLength(keep);
            file.Position = keep;
            return new MetricsFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the lines of a file; a torn last one is left out.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="JsonException">A whole line isn't JSON.</exception>
    public static IReadOnlyList<JsonElement> Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return [.. Lines(bytes).Select(l => JsonDocument.Parse(bytes.AsMemory(l.Start, l.End - l.Start)).RootElement)];
    }

    /// <summary>Appends a line.</summary>
    /// <param name="type">Value of its first field, "type".</param>
    /// <param name="fields">Name and value of the others: numbers that aren't finite and null become null.</param>
    public void Add(string type, params ReadOnlySpan<(string Name, object? Value)> fields)
    {
        _line.SetLength(0);
        using (var json = new Utf8JsonWriter(_line))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            foreach ((string name, object? value) in fields)
            {
                json.WritePropertyName(name);
                Write(json, value);
            }

            json.WriteEndObject();
        }

        _line.WriteByte(LineEnd);
        _file.Write(_line.GetBuffer().AsSpan(0, (int)_line.Length));
    }

    public void Dispose()
    {
        _file.Dispose();
        _line.Dispose();
    }

    private static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case bool yes:
                json.WriteBooleanValue(yes);
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case DateTimeOffset time:
                json.WriteStringValue(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
                break;
            case null or double:
                json.WriteNullValue();
                break;
            default:
                throw new NotSupportedException($"no JSON form for {value.GetType()}");
        }
    }

    // First byte and line end of each whole line.
    private static IEnumerable<(int Start, int End)> Lines(byte[] bytes)
    {
        for (int start = 0; ;)
        {
            int length = Array.IndexOf(bytes, LineEnd, start) - start;
            if (length < 0)
            {
                yield break;
            }

            yield return (start, start + length);
            start += length + 1;
        }
    }

    // What somebody else wrote into the file is left alone.
    private static bool Counts(ReadOnlyMemory<byte> line, long steps, int epochs)
    {
        try
        {
            using JsonDocument record = JsonDocument.Parse(line);
            string? type = record.RootElement.GetProperty("type").GetString();
            return type switch
            {
                "epoch" => record.RootElement.GetProperty("epoch").GetInt32() <= epochs,
                "evaluation" => false, // they stand behind the last epoch and are made again
                _ => record.RootElement.GetProperty("global_step").GetInt64() <= steps,
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return steps >= 0;
        }
    }
}
