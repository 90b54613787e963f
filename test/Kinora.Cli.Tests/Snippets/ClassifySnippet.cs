using Kinora;
using Kinora.Onnx;

namespace Snippets;

/// <summary>The README's program, compiled; ReadmeTests asserts that both are the same.</summary>
internal static class ClassifySnippet
{
    public static void Run()
    {
        // <snippet>
        using VideoClassifier classifier = VideoClassifier.Load("runs/my-clips");
        ClassificationResult result = classifier.Classify("new.mp4");
        foreach (Prediction prediction in result.Predictions)
        {
            Console.WriteLine($"{prediction.Label}: {prediction.Probability:P1}");
        }

        // </snippet>
    }
}
