using System.Diagnostics;
using System.Runtime.Intrinsics;

namespace Kinora.Cli.Benchmarks;

/// <summary>
/// How many multiply-adds a second the processor reaches at best: a product of two small float32 matrices on each thread,
/// packed so that everything comes from the nearest caches, one fused instruction for each vector of products.
/// </summary>
/// <remarks>Kinora's own loop, not ONNX Runtime's, so that a share of it also shows what a runtime leaves.</remarks>
internal sealed unsafe class PeakProbe : IDisposable
{
    private const int Depth = 128;              // of a panel: 16 KB of B stay in the first cache
    private const int RowPanels = 16;           // 64 KB of A stay in the second
    private const int ColumnPanels = 4;
    private const int Chunks = 30;
    private const double ChunkSeconds = 0.0005;  // so short that a busy system leaves some of them alone
    private const float Element = 0.5f;         // of both operands

    private static readonly (int Rows, int Columns) Tile = Vector512.IsHardwareAccelerated ? (8, 32) : (4, 24);

    private readonly float*[] _memory;
    private readonly int _repeats;               // products of a chunk

    /// <summary>Prepares to measure.</summary>
    /// <param name="mostThreads">The largest number of threads that will be asked for.</param>
    public PeakProbe(int mostThreads)
    {
        _memory = new float*[mostThreads];
        for (int i = 0; i < mostThreads; i++)
        {
            int floats = (RowPanels * Depth * Tile.Rows) + (ColumnPanels * Depth * Tile.Columns) + (Tile.Rows * Tile.Columns);
            _memory[i] = (float*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)floats * sizeof(float), 64);
            new Span<float>(_memory[i], floats).Fill(Element);
        }

        Multiply(_memory[0], 4);
        Check(_memory[0]);
        double product = double.MaxValue;
        for (int i = 0; i < 16; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Multiply(_memory[0], 1);
            product = Math.Min(product, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        _repeats = Math.Max(1, (int)(ChunkSeconds / product));
    }

    private static long MultiplyAddsOfProduct => (long)RowPanels * ColumnPanels * Depth * Tile.Rows * Tile.Columns;

    /// <summary>Measures once, for about 15 ms.</summary>
    /// <param name="threads">Threads that multiply at the same time.</param>
    /// <returns>Multiply-adds a second of all threads together.</returns>
    public PeakSample Sample(int threads)
    {
        using Barrier ready = new(threads);
        var rates = new PeakSample[threads];
        var others = new Thread[threads - 1];
        for (int i = 0; i < others.Length; i++)
        {
            int number = i + 1;
            others[i] = new Thread(() => Work(number));
            others[i].Start();
        }

        Work(0);
        foreach (Thread other in others)
        {
            other.Join();
        }

        return new PeakSample(rates.Sum(r => r.Best), rates.Sum(r => r.Sustained));

        void Work(int number)
        {
            ready.SignalAndWait();
            double work = _repeats * MultiplyAddsOfProduct / 1e9, best = 0;
            long start = Stopwatch.GetTimestamp();
            for (int chunk = 0; chunk < Chunks; chunk++)
            {
                long chunkStart = Stopwatch.GetTimestamp();
                Multiply(_memory[number], _repeats);
                best = Math.Max(best, work / Stopwatch.GetElapsedTime(chunkStart).TotalSeconds);
            }

            rates[number] = new PeakSample(best, Chunks * work / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < _memory.Length; i++)
        {
            System.Runtime.InteropServices.NativeMemory.AlignedFree(_memory[i]);
            _memory[i] = null;
        }
    }

    // A loop that is fast because it does something else would be no measure.
    private static void Check(float* memory)
    {
        ReadOnlySpan<float> sums = new(memory + (RowPanels * Depth * Tile.Rows) + (ColumnPanels * Depth * Tile.Columns), Tile.Rows * Tile.Columns);
        if (sums.IndexOfAnyExcept(Depth * Element * Element) >= 0)
        {
            throw new InvalidOperationException($"peak probe: expected sums of {Depth * Element * Element}, found {sums[sums.IndexOfAnyExcept(Depth * Element * Element)]}");
        }
    }

    // [RowPanels · rows, Depth] · [Depth, ColumnPanels · columns], operands packed panel by panel.
    private static void Multiply(float* memory, int repeats)
    {
        float* a = memory, b = a + (RowPanels * Depth * Tile.Rows), c = b + (ColumnPanels * Depth * Tile.Columns);
        for (int repeat = 0; repeat < repeats; repeat++)
        {
            for (int column = 0; column < ColumnPanels; column++)
            {
                for (int row = 0; row < RowPanels; row++)
                {
                    float* left = a + (row * Depth * Tile.Rows), right = b + (column * Depth * Tile.Columns);
                    if (Vector512.IsHardwareAccelerated)
                    {
                        Tile8X32(left, right, c);
                    }
                    else
                    {
                        Tile4X24(left, right, c);
                    }
                }
            }
        }
    }

    // Sixteen sums in registers: enough that each waits for its own last step without holding up the others.
    private static void Tile8X32(float* a, float* b, float* c)
    {
        Vector512<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        for (int k = 0; k < Depth; k++, a += 8, b += 32)
        {
            Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16);
            Vector512<float> a0 = Vector512.Create(a[0]), a1 = Vector512.Create(a[1]), a2 = Vector512.Create(a[2]), a3 = Vector512.Create(a[3]);
            c00 = Vector512.FusedMultiplyAdd(a0, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(a0, b1, c01);
            c10 = Vector512.FusedMultiplyAdd(a1, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(a1, b1, c11);
            c20 = Vector512.FusedMultiplyAdd(a2, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(a2, b1, c21);
            c30 = Vector512.FusedMultiplyAdd(a3, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(a3, b1, c31);
            Vector512<float> a4 = Vector512.Create(a[4]), a5 = Vector512.Create(a[5]), a6 = Vector512.Create(a[6]), a7 = Vector512.Create(a[7]);
            c40 = Vector512.FusedMultiplyAdd(a4, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(a4, b1, c41);
            c50 = Vector512.FusedMultiplyAdd(a5, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(a5, b1, c51);
            c60 = Vector512.FusedMultiplyAdd(a6, b0, c60);
            c61 = Vector512.FusedMultiplyAdd(a6, b1, c61);
            c70 = Vector512.FusedMultiplyAdd(a7, b0, c70);
            c71 = Vector512.FusedMultiplyAdd(a7, b1, c71);
        }

        // One by one: through a span the compiler would keep the sums in memory all along.
        c00.Store(c);
        c01.Store(c + 16);
        c10.Store(c + 32);
        c11.Store(c + 48);
        c20.Store(c + 64);
        c21.Store(c + 80);
        c30.Store(c + 96);
        c31.Store(c + 112);
        c40.Store(c + 128);
        c41.Store(c + 144);
        c50.Store(c + 160);
        c51.Store(c + 176);
        c60.Store(c + 192);
        c61.Store(c + 208);
        c70.Store(c + 224);
        c71.Store(c + 240);
    }

    // Twelve sums, for processors with sixteen registers.
    private static void Tile4X24(float* a, float* b, float* c)
    {
        Vector256<float> c00 = default, c01 = default, c02 = default, c10 = default, c11 = default, c12 = default;
        Vector256<float> c20 = default, c21 = default, c22 = default, c30 = default, c31 = default, c32 = default;
        for (int k = 0; k < Depth; k++, a += 4, b += 24)
        {
            Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8), b2 = Vector256.Load(b + 16);
            Vector256<float> left = Vector256.Create(a[0]);
            c00 = Vector256.FusedMultiplyAdd(left, b0, c00);
            c01 = Vector256.FusedMultiplyAdd(left, b1, c01);
            c02 = Vector256.FusedMultiplyAdd(left, b2, c02);
            left = Vector256.Create(a[1]);
            c10 = Vector256.FusedMultiplyAdd(left, b0, c10);
            c11 = Vector256.FusedMultiplyAdd(left, b1, c11);
            c12 = Vector256.FusedMultiplyAdd(left, b2, c12);
            left = Vector256.Create(a[2]);
            c20 = Vector256.FusedMultiplyAdd(left, b0, c20);
            c21 = Vector256.FusedMultiplyAdd(left, b1, c21);
            c22 = Vector256.FusedMultiplyAdd(left, b2, c22);
            left = Vector256.Create(a[3]);
            c30 = Vector256.FusedMultiplyAdd(left, b0, c30);
            c31 = Vector256.FusedMultiplyAdd(left, b1, c31);
            c32 = Vector256.FusedMultiplyAdd(left, b2, c32);
        }

        c00.Store(c);
        c01.Store(c + 8);
        c02.Store(c + 16);
        c10.Store(c + 24);
        c11.Store(c + 32);
        c12.Store(c + 40);
        c20.Store(c + 48);
        c21.Store(c + 56);
        c22.Store(c + 64);
        c30.Store(c + 72);
        c31.Store(c + 80);
        c32.Store(c + 88);
    }
}

/// <summary>One measurement of a <see cref="PeakProbe"/>, in units of 10⁹ multiply-adds a second.</summary>
/// <param name="Best">Of the best half millisecond.</param>
/// <param name="Sustained">Of the whole measurement, interruptions included.</param>
internal readonly record struct PeakSample(double Best, double Sustained);
