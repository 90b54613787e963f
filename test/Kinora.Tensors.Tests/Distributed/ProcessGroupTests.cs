using System.Diagnostics;
using System.Text;

namespace Kinora.Tensors.Tests;

public sealed class ProcessGroupTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Exchanges_AnySize_GiveWhatTheyShould(int size)
    {
        bool[] all = Ranks.Run(size, context =>
        {
            Assert.Equal(size, context.Size);
            Assert.Equal(context.Rank == 0, context.IsMain);
            double sum = size * (size + 1) / 2.0;
            Assert.Equal([sum, 0.5 * size], context.Sum(context.Rank + 1, 0.5));
            Assert.Equal([size - 1.0, 7], context.Max(context.Rank, context.Rank == 0 ? 7 : -3));
            byte[][] gathered = context.Gather(Encoding.UTF8.GetBytes(new string('x', context.Rank * 3)));
            Assert.Equal(Enumerable.Range(0, size).Select(r => r * 3), gathered.Select(g => g.Length));
            Assert.Equal(["", .. Enumerable.Range(1, size - 1).Select(r => $"rank {r}")], context.Gather(context.Rank == 0 ? "" : $"rank {context.Rank}"));
            byte[] told = context.Broadcast(context.Rank == size - 1 ? [1, 2, 3] : [9], size - 1);
            Assert.Equal([1, 2, 3], told);
            Assert.Empty(context.Broadcast([]));
            context.Barrier();
            return true;
        });
        Assert.Equal(size, all.Length);
    }

    [Fact]
    public void AllReduce_ChannelsLastAndEveryReduction_ElementwiseInPlace()
    {
        Ranks.Run(2, context =>
        {
            ProcessGroup group = context.Group!;
            Tensor x = Tensor.From<float>([.. Enumerable.Range(0, 24).Select(i => i + (100f * context.Rank))], [1, 2, 3, 4]).Contiguous(MemoryFormat.ChannelsLast);
            group.AllReduce(x, Reduction.Mean);
            Assert.Equal(Enumerable.Range(0, 24).Select(i => i + 50f), x.ToArray<float>());
            Tensor max = Tensor.From<long>([context.Rank, 5 - context.Rank]);
            using (Exchange exchange = group.AllReduceAsync(max, Reduction.Max))
            {
                exchange.Wait();
                Assert.True(exchange.IsCompleted);
            }

            Assert.Equal([1L, 5L], max.ToArray<long>());
            Tensor half = Tensor.From<double>([1.5]);
            group.Broadcast(half, 1);
            Assert.Equal([1.5], half.ToArray<double>());
            ShapeException gap = Assert.Throws<ShapeException>(() => group.AllReduce(Tensor.Ones([4, 4]).Slice(1, 0, 2)));
            Assert.Contains("without gaps", gap.Message, StringComparison.Ordinal);
            return true;
        });
    }

    [Fact]
    public void Sum_APeerLeaves_TheOthersLearnAtOnceAndWhy()
    {
        long start = Stopwatch.GetTimestamp();
        (int[] _, Exception?[] failures) = Ranks.Try(3, context =>
        {
            _ = context.Sum(1);
            if (context.Rank == 0)
            {
                context.Announce("clips/broken.mp4: out of memory");
                throw new InvalidOperationException("rank 0's own trouble");
            }

            for (int i = 0; i < 1000; i++)
            {
                _ = context.Sum(1);
            }

            return 0;
        }, timeoutSeconds: 60);
        Assert.IsType<InvalidOperationException>(failures[0]);
        for (int rank = 1; rank < 3; rank++)
        {
            DistributedException failure = Assert.IsType<DistributedException>(failures[rank]);
            Assert.Equal(rank, failure.Rank);
            Assert.Equal("all-reduce", failure.Operation);
            Assert.Contains($"rank {rank} of 3", failure.Message, StringComparison.Ordinal);
            Assert.Contains("rank 0 had stopped: clips/broken.mp4: out of memory", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', failure.Message);
        }

        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "waited for the time-out");
    }

    [Fact]
    public void Sum_APeerStalls_EndsAfterTheTimeout()
    {
        using var release = new ManualResetEventSlim();
        (int[] _, Exception?[] failures) = Ranks.Try(2, context =>
        {
            _ = context.Sum(1);
            if (context.Rank == 1)
            {
                release.Wait(TimeSpan.FromSeconds(60));
                return 0;
            }

            try
            {
                _ = context.Sum(1);
            }
            finally
            {
                release.Set();
            }

            return 0;
        }, timeoutSeconds: 2);
        DistributedException failure = Assert.IsType<DistributedException>(failures[0]);
        Assert.Contains("didn't answer within 2 s", failure.Message, StringComparison.Ordinal);
        Assert.Null(failures[1]);
    }

    [Fact]
    public void Connect_NobodyElse_SaysWhereItWaited()
    {
        int port = Ranks.FreePort();
        DistributedException failure = Assert.Throws<DistributedException>(() =>
            DistributedContext.Connect(new Rendezvous(1, 2, 1, "127.0.0.1", port), timeout: TimeSpan.FromSeconds(2)));
        Assert.Contains($"127.0.0.1:{port}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("did rank 0 start", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireSame_OneDiffers_EveryRankNamesIt()
    {
        (int[] _, Exception?[] failures) = Ranks.Try(3, context =>
        {
            context.RequireSame(("version", "1"), ("clips", context.Rank == 2 ? "b" : "a"));
            return 0;
        });
        Assert.All(failures, f => Assert.Contains("expected the same clips everywhere, found 'a' at rank 0 and 'b' at rank 2", Assert.IsType<DistributedException>(f).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Single_EveryExchange_GivesBackItsOwn()
    {
        DistributedContext single = DistributedContext.Single;
        Assert.Same(single, DistributedContext.Connect(null));
        Assert.Same(single, DistributedContext.Connect(new Rendezvous(0, 1, 0, "nowhere", 1)));
        Assert.Equal([3.0], single.Sum(3));
        Assert.Equal([3.0], single.Max(3));
        Assert.Equal(["a"], single.Gather("a"));
        Assert.Equal([1], single.Broadcast([1]));
        single.RequireSame(("a", "b"));
        single.Barrier();
        single.Dispose();
        Assert.True(single is { IsMain: true, IsDistributed: false, Size: 1 });
    }

    [Fact]
    public void IsSupported_Nccl_OnlyWithCuda()
    {
        Assert.True(ProcessGroup.IsSupported(CommunicationBackend.Gloo));
        Assert.SkipWhen(ProcessGroup.IsSupported(CommunicationBackend.Nccl), "built with NCCL: covered by the tests on a GPU");
        (int[] _, Exception?[] failures) = Ranks.Try(1, _ => 0);
        Assert.All(failures, Assert.Null);
        DistributedException failure = Assert.Throws<DistributedException>(() => ConnectNccl(Ranks.FreePort()));
        Assert.Contains("built without NCCL", failure.Message, StringComparison.Ordinal);
    }

    // Two ranks, because one alone needs no connections.
    private static void ConnectNccl(int port)
    {
        Exception? other = null;
        var thread = new Thread(() => other = Record.Exception(() => Connect(1)));
        thread.Start();
        try
        {
            Connect(0);
        }
        finally
        {
            thread.Join();
            Assert.IsType<DistributedException>(other);
        }

        void Connect(int rank) =>
            DistributedContext.Connect(new Rendezvous(rank, 2, rank, "127.0.0.1", port), CommunicationBackend.Nccl, TimeSpan.FromSeconds(20)).Dispose();
    }
}
