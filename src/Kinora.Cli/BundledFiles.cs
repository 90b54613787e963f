namespace Kinora.Cli;

/// <summary>The files that travel with Kinora: below <c>models/</c> of the checkout, or beside a published program.</summary>
internal static class BundledFiles
{
    /// <summary>The demonstration model, or null if it isn't there.</summary>
    public static string? Model => Find("synthetic_motions.onnx");

    /// <summary>EfficientNet-Lite0's ImageNet weights, or null if they aren't there.</summary>
    public static string? ImageNetWeights => Find("efficientnet_lite0_imagenet_f16.safetensors");

    /// <summary>The folder of sample clips, or null if it isn't there.</summary>
    public static string? SampleClips => Find("clips", "samples");

    private static string? Find(string name, string folderName = "models")
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, folderName, name);
            if (Path.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
