namespace Kinora.Paddle;

/// <summary>Where the bytes of a file came from.</summary>
public enum DownloadOrigin
{
    /// <summary>It was there already.</summary>
    Cached,

    /// <summary>All of it came from the server.</summary>
    Downloaded,

    /// <summary>A part was there from an earlier download, the rest came from the server.</summary>
    Resumed,

    /// <summary>Copied from a file on this machine.</summary>
    Copied,
}

/// <summary>A whole file whose checksum is known.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its SHA-256, in lower-case hexadecimal digits.</param>
/// <param name="Origin">Where its bytes came from.</param>
/// <param name="WasChecked">
/// Whether the checksum was compared with one that was published or recorded before; otherwise this is the first time,
/// and it is recorded beside the file.
/// </param>
public sealed record DownloadedFile(string Path, long Bytes, string Sha256, DownloadOrigin Origin, bool WasChecked);
