using System.Runtime.InteropServices;
using System.Text;

namespace Kinora.Media.Native;

/// <summary>km_status: what a native call returns.</summary>
internal enum MediaStatus
{
    Ok = 0,
    Argument = 1,
    Memory = 2,
    Open = 3,
    Format = 4,
    Limit = 5,
    Deadline = 6,
    Cancelled = 7,
    Damaged = 8,
    Encode = 9,
}

/// <summary>km_struct: the structs whose sizes both sides compare.</summary>
internal enum MediaStruct
{
    Error,
    ReaderOptions,
    ReaderInfo,
    ReadStatistics,
    WriterOptions,
}

/// <summary>km_error.</summary>
internal unsafe struct NativeError
{
    public int Status;
    public int Frame;
    public fixed byte Text[248];

    public static string Message(NativeError* error) => Utf8.Read(error->Text, 248);
}

/// <summary>km_reader_options.</summary>
internal struct NativeReaderOptions
{
    public long MaxPixels;
    public long MaxFileBytes;
    public long MaxCacheBytes;
    public int MaxFrames;
    public int MaxStreams;
    public int DeadlineMilliseconds;
    public int Color;
    public int ApplyRotation;
    public int Reserved;
}

/// <summary>km_reader_info.</summary>
internal unsafe struct NativeReaderInfo
{
    public double FramesPerSecond;
    public double DurationSeconds;
    public int Width;
    public int Height;
    public int Rotation;
    public int FrameCount;
    public int KeyframeCount;
    public int Counted;
    public int Cached;
    public int Reserved;
    public fixed byte Codec[32];
    public fixed byte Container[64];
}

/// <summary>km_read_statistics.</summary>
internal struct NativeReadStatistics
{
    public long PacketsSent;
    public long FramesDecoded;
    public long FramesConverted;
    public long Restarts;
}

/// <summary>km_writer_options.</summary>
internal unsafe struct NativeWriterOptions
{
    public int Width;
    public int Height;
    public int RateNumerator;
    public int RateDenominator;
    public int ConstantQuality;
    public int KeyframeInterval;
    public int BFrames;
    public int Rotation;
    public fixed byte Preset[16];
}

/// <summary>The exports of libkinora_media.so; native/media/include/kinora_media.h documents them.</summary>
internal static unsafe partial class MediaMethods
{
    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_abi_version")]
    internal static partial MediaStatus AbiVersion(int* version);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_struct_size")]
    internal static partial MediaStatus StructSize(MediaStruct which, int* bytes);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_library_versions")]
    internal static partial MediaStatus LibraryVersions(byte* text, int capacity);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_open", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial MediaStatus ReaderOpen(
        string? path, byte* bytes, long byteCount, NativeReaderOptions* options, int* cancel, out ReaderHandle reader, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_get_info")]
    internal static partial MediaStatus ReaderGetInfo(ReaderHandle reader, NativeReaderInfo* info);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_get_times")]
    internal static partial MediaStatus ReaderGetTimes(ReaderHandle reader, double* seconds, byte* keyframes, int capacity);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_read")]
    internal static partial MediaStatus ReaderRead(
        ReaderHandle reader, int* frames, int count, byte* output, long outputBytes, int* cancel, NativeReadStatistics* statistics, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_begin")]
    internal static partial MediaStatus ReaderBegin(ReaderHandle reader, int* frames, int count, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_next")]
    internal static partial MediaStatus ReaderNext(ReaderHandle reader, byte* output, long outputBytes, int* cancel, int* frame, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_reader_close")]
    internal static partial MediaStatus ReaderClose(nint reader);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_writer_open", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial MediaStatus WriterOpen(string path, NativeWriterOptions* options, out WriterHandle writer, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_writer_write")]
    internal static partial MediaStatus WriterWrite(WriterHandle writer, byte* rgb24, long byteCount, long pts, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_writer_finish")]
    internal static partial MediaStatus WriterFinish(WriterHandle writer, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_writer_close")]
    internal static partial MediaStatus WriterClose(nint writer);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_jpeg_size")]
    internal static partial MediaStatus JpegSize(byte* jpeg, long byteCount, int* width, int* height, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_jpeg_decode")]
    internal static partial MediaStatus JpegDecode(byte* jpeg, long byteCount, int width, int height, byte* rgb24, long rgbBytes, NativeError* error);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_jpeg_bound")]
    internal static partial MediaStatus JpegBound(int width, int height, long* bytes);

    [LibraryImport(MediaLibrary.Name, EntryPoint = "km_jpeg_encode")]
    internal static partial MediaStatus JpegEncode(byte* rgb24, int width, int height, int quality, byte* jpeg, long* byteCount, NativeError* error);
}

/// <summary>Zero-terminated UTF-8 in fixed buffers.</summary>
internal static unsafe class Utf8
{
    internal static string Read(byte* text, int capacity)
    {
        var bytes = new ReadOnlySpan<byte>(text, capacity);
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
