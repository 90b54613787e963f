using System.Runtime.CompilerServices;
using Kinora.Media.Native;

namespace Kinora.Media.Tests.Native;

public sealed unsafe class MediaAbiTests
{
    [Fact]
    public void AbiVersion_OfLibrary_IsTheOneExpected()
    {
        MediaLibrary.Ensure();
        int version;
        Assert.Equal(MediaStatus.Ok, MediaMethods.AbiVersion(&version));
        Assert.Equal(MediaLibrary.AbiVersion, version);
    }

    [Fact]
    public void StructSize_OfEveryStruct_EqualsManagedSize()
    {
        var sizes = new Dictionary<MediaStruct, int>
        {
            [MediaStruct.Error] = sizeof(NativeError),
            [MediaStruct.ReaderOptions] = sizeof(NativeReaderOptions),
            [MediaStruct.ReaderInfo] = sizeof(NativeReaderInfo),
            [MediaStruct.ReadStatistics] = sizeof(NativeReadStatistics),
            [MediaStruct.WriterOptions] = sizeof(NativeWriterOptions),
        };
        Assert.Equal(Enum.GetValues<MediaStruct>(), sizes.Keys.Order());
        MediaLibrary.Ensure();
        foreach ((MediaStruct which, int size) in sizes)
        {
            int native;
            Assert.Equal(MediaStatus.Ok, MediaMethods.StructSize(which, &native));
            Assert.True(native == size, $"{which}: {native} bytes in C, {size} in C#");
        }

        int none;
        Assert.Equal(MediaStatus.Argument, MediaMethods.StructSize((MediaStruct)sizes.Count, &none));
    }

    [Fact]
    public void Exports_NullArguments_AnswerArgument()
    {
        MediaLibrary.Ensure();
        NativeError error;
        Assert.Equal(MediaStatus.Argument, MediaMethods.AbiVersion(null));
        Assert.Equal(MediaStatus.Argument, MediaMethods.LibraryVersions(null, 10));
        Assert.Equal(MediaStatus.Argument, MediaMethods.ReaderOpen(null, null, 0, null, null, out ReaderHandle reader, &error));
        Assert.True(reader.IsInvalid);
        Assert.Equal((int)MediaStatus.Argument, error.Status);
        Assert.NotEqual("", NativeError.Message(&error));
        Assert.Equal(MediaStatus.Argument, MediaMethods.WriterOpen("x", null, out _, &error));
        Assert.Equal(MediaStatus.Argument, MediaMethods.JpegSize(null, 0, null, null, &error));
        Assert.Equal(MediaStatus.Argument, MediaMethods.JpegBound(0, 1, null));
        Assert.Equal(MediaStatus.Ok, MediaMethods.ReaderClose(0));
        Assert.Equal(MediaStatus.Ok, MediaMethods.WriterClose(0));
    }

    [Fact]
    public void LibraryVersions_NamesFfmpegAndItsLibraries()
    {
        Assert.StartsWith("FFmpeg ", VideoReader.LibraryVersions, StringComparison.Ordinal);
        Assert.Contains("libavcodec", VideoReader.LibraryVersions, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsStructs_HaveNoPadding()
    {
        // Padding would travel to C uninitialised.
        Assert.Equal((3 * sizeof(long)) + (6 * sizeof(int)), Unsafe.SizeOf<NativeReaderOptions>());
        Assert.Equal((8 * sizeof(int)) + 16, Unsafe.SizeOf<NativeWriterOptions>());
    }
}
