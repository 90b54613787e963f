using Kinora;
using Kinora.Bench;
using Kinora.Bench.Ablation;
using Kinora.Bench.Classify;
using Kinora.Bench.CrossValidation;
using Kinora.Bench.Decode;
using Kinora.Bench.Pixels;
using Kinora.Bench.Startup;
using Kinora.Bench.TrainStep;

// One explicit list: name, what it measures, how to run it.
Benchmark[] benchmarks =
[
    new("ablation", "What each part of a recipe is worth, with several seeds, on clips that nothing was chosen on.", AblationBench.Run),
    new("classify", "Whole way from H.264 files to labels, split into decode, pixels and network; 1 against 2 threads.", ClassifyBench.Run),
    new("cross-validation", "Accuracy of the default training recipe on a folder of clips, each held out once.", CrossValidationBench.Run),
    new("decode", "Frames spread over an H.264 clip, decoded by index; against the ffmpeg command selecting the same frames.", DecodeBench.Run),
    new("pixels", "Resize, crop and normalise of decoded frames on one core, Pillow's and OpenCV's filter; against the scalar twin.", PixelsBench.Run),
    new("train-step", "One training step in float32 and bfloat16, by turns.", TrainStepBench.Run),
    new("startup", "From the start of the published command line to its first label.", StartupBench.Run),
];

Benchmark? chosen = args.Length == 0 ? null : benchmarks.FirstOrDefault(b => b.Name == args[0]);
if (chosen is null)
{
    Console.WriteLine("usage: dotnet run --project bench/Kinora.Bench -c Release -- NAME [--option value …]");
    foreach (Benchmark benchmark in benchmarks)
    {
        Console.WriteLine($"  {benchmark.Name,-16} {benchmark.Description}");
    }

    return args.Length == 0 ? 0 : 2;
}

try
{
    return chosen.Run(new BenchArguments(args[1..]));
}
catch (KinoraException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
