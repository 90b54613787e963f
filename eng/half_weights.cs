// Writes a safetensors file again with every tensor as float16, names and metadata kept. This made
// models/efficientnet_lite0_imagenet_f16.safetensors:
//   dotnet run eng/half_weights.cs -- efficientnet_lite0_imagenet.safetensors models/efficientnet_lite0_imagenet_f16.safetensors
#:project ../src/Kinora.Tensors/Kinora.Tensors.csproj
#:property AllowAmbient=true

using System.Security.Cryptography;
using Kinora.Tensors;

if (args is not [var source, var target])
{
    Console.Error.WriteLine("usage: dotnet run eng/half_weights.cs -- SOURCE.safetensors TARGET.safetensors");
    return 2;
}

using var scope = new TensorScope();
using SafetensorsFile file = SafetensorsFile.Open(source);
var halves = new List<(string, Tensor)>();
double greatest = 0;
foreach (var entry in file.Entries)
{
    float[] values = file.Read(entry.Name).To(DType.Float32).ToArray<float>();
    greatest = values.Aggregate(greatest, (max, v) => Math.Max(max, Math.Abs(v)));
    halves.Add((entry.Name, Tensor.From<float>(values, entry.Shape.ToArray()).To(DType.Float16)));
}

if (!(greatest <= (double)Half.MaxValue))
{
    Console.Error.WriteLine($"{source}: a value of {greatest} doesn't fit float16");
    return 1;
}

SafetensorsFile.Save(target, halves, file.Metadata);
Console.WriteLine($"{target}: {halves.Count} tensors, greatest magnitude {greatest}, sha256 {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(target)))}");
return 0;
