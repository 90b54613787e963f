using Kinora.Testing;

namespace Kinora.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WriteText_MissingFolder_OnlyTheFileIsThere()
    {
        AtomicFile.WriteText(_folder["a/b.txt"], "text");
        Assert.Equal("text", File.ReadAllText(_folder["a/b.txt"]));
        Assert.Single(Directory.GetFiles(_folder["a"]));
    }

    [Fact]
    public void Write_FailsHalfWay_OldFileStaysAndNothingElse()
    {
        AtomicFile.WriteText(_folder["a.txt"], "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(_folder["a.txt"], stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(_folder["a.txt"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void PendingFile_TwoForOnePath_DoNotDisturbEachOther()
    {
        using (PendingFile first = new(_folder["a.txt"]), second = new(_folder["a.txt"]))
        {
            File.WriteAllText(first.TemporaryPath, "first");
            File.WriteAllText(second.TemporaryPath, "second");
            second.Commit();
            first.Commit();
        }

        Assert.Equal("first", File.ReadAllText(_folder["a.txt"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }
}
