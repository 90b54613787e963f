using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>golden/pipeline/metrics.json and the accuracy records of golden/training/losses.json.</summary>
public sealed class GoldenMetricTests
{
    [Fact]
    public void CenterCrop_PaddedBatches_EveryClipCountsOnce()
    {
        using JsonDocument document = Open("golden/pipeline/metrics.json");
        var scores = new ScoreFormula(document.RootElement);
        foreach (JsonElement record in document.RootElement.GetProperty("center_crop").EnumerateArray())
        {
            int size = record.GetProperty("data_size").GetInt32();
            int classes = record.GetProperty("classes").GetInt32();
            int[] labels = Integers(record.GetProperty("labels"));
            var board = new ScoreBoard(size, classes);
            int row = 0;
            foreach (int batch in Integers(record.GetProperty("batches")))
            {
                for (int i = 0; i < batch; i++, row++)
                {
                    board.Add(row % size, 0, labels[row % size], scores.Row(row % size, classes));
                }
            }

            Assert.Equal(row - size, board.Repeats);
            Assert.Empty(board.Missing());
            int[] ks = record.TryGetProperty("topk", out JsonElement topk) ? Integers(topk) : [1, 5];
            if (record.TryGetProperty("err", out _))
            {
                // Fewer than five classes crash the original; here all of them are among the best five.
                Assert.Equal(1.0, board.TopK(5));
                continue;
            }

            double[] accuracy = [.. record.GetProperty("accuracy").EnumerateArray().Select(e => e.GetDouble())];
            for (int k = 0; k < ks.Length; k++)
            {
                Assert.Equal((float)accuracy[k], (float)board.TopK(ks[k]), 1e-7f);
            }
        }
    }

    [Fact]
    public void MultiCrop_ShuffledRepeatedAndMissingViews_SumsAndAccuracyAsRecorded()
    {
        using JsonDocument document = Open("golden/pipeline/metrics.json");
        var scores = new ScoreFormula(document.RootElement);
        foreach (JsonElement record in document.RootElement.GetProperty("multi_crop").EnumerateArray())
        {
            int videos = record.GetProperty("videos").GetInt32();
            int classes = record.GetProperty("classes").GetInt32();
            int views = record.GetProperty("views").GetInt32() * record.GetProperty("crops").GetInt32();
            int[] ids = Integers(record.GetProperty("ids"));
            var board = new ScoreBoard(videos, classes, views);
            if (record.TryGetProperty("err", out _))
            {
                if (record.GetProperty("wrong_label").GetBoolean())
                {
                    board.Add(0, 0, 0, scores.Row(0, classes));
                    Assert.Throws<ArgumentException>(() => board.Add(0, 1, 1, scores.Row(1, classes)));
                }

                continue;
            }

            int[] labels = Integers(record.GetProperty("labels"));
            foreach (int id in ids)
            {
                board.Add(id / views, id % views, labels[id / views], scores.Row(id, classes));
            }

            Assert.Equal(ids.Length - ids.Distinct().Count(), board.Repeats);
            Assert.Equal((videos * views) - ids.Distinct().Count(), Enumerable.Range(0, videos).Sum(v => views - board.ViewsSeen(v)));
            JsonElement sums = record.GetProperty("sums");
            for (int v = 0; v < videos; v++)
            {
                for (int c = 0; c < sums[v].GetArrayLength(); c++)
                {
                    Assert.Equal(sums[v][c].GetDouble(), board.Sums(v)[c], 1e-9);
                }
            }

            Assert.Equal((float)record.GetProperty("accuracy")[0].GetDouble(), (float)board.TopK(1), 1e-7f);
            Assert.Equal((float)record.GetProperty("accuracy")[1].GetDouble(), (float)board.TopK(5), 1e-7f);
        }
    }

    [Fact]
    public void Ties_EveryRecordedRow_ExactlyKClassesAreInTheTopK()
    {
        using JsonDocument document = Open("golden/pipeline/metrics.json");
        foreach (JsonElement record in document.RootElement.GetProperty("ties").EnumerateArray())
        {
            int classes = record.GetProperty("classes").GetInt32();
            double[] row = record.GetProperty("row").GetString() switch
            {
                "all equal" => [.. Enumerable.Repeat(1.0, classes)],
                "two halves" => [.. Enumerable.Range(0, classes).Select(i => i % 2.0)],
                "steps of three" => [.. Enumerable.Range(0, classes).Select(i => (double)(i / 3))],
                _ => [],
            };
            foreach (int k in new[] { 1, 5 })
            {
                if (row.Length > 0)
                {
                    Assert.Equal(Math.Min(k, classes), Enumerable.Range(0, classes).Count(label => Ranking.Of(row, label) < k));
                }
            }
        }
    }

    [Fact]
    public void Accuracy_RecordedRows_EqualWhereTheLabelIsNotTied()
    {
        using JsonDocument document = Open("golden/training/losses.json");
        foreach (JsonElement record in document.RootElement.GetProperty("accuracy").EnumerateArray())
        {
            double[][] rows = [.. record.GetProperty("scores").EnumerateArray().Select(r => r.EnumerateArray().Select(Number).ToArray())];
            int[] labels = [.. record.GetProperty("labels").EnumerateArray().Select(l => l.ValueKind == JsonValueKind.Array ? l[0].GetInt32() : l.GetInt32())];
            bool tied = rows.Zip(labels).Any(p => (uint)p.Second < (uint)p.First.Length && p.First.Count(s => s == p.First[p.Second]) > 1);
            foreach (JsonElement result in record.GetProperty("results").EnumerateArray())
            {
                int k = result.GetProperty("k").GetInt32();
                double accuracy = (double)rows.Zip(labels).Count(p => Ranking.Of(p.First, p.Second) < Math.Min(k, p.First.Length)) / rows.Length;
                if (!tied && result.TryGetProperty("value", out JsonElement value))
                {
                    Assert.Equal(value.GetDouble(), accuracy, 1e-6);
                }
            }
        }
    }

    private static JsonDocument Open(string file) => JsonDocument.Parse(File.ReadAllText(SharedData.Require(file)));

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    private static double Number(JsonElement e) => e.ValueKind == JsonValueKind.Number ? e.GetDouble() : double.NaN;

    private sealed class ScoreFormula(JsonElement root)
    {
        private readonly int _a = root.GetProperty("score_formula").GetProperty("A").GetInt32();
        private readonly int _b = root.GetProperty("score_formula").GetProperty("B").GetInt32();
        private readonly int _p = root.GetProperty("score_formula").GetProperty("P").GetInt32();

        public float[] Row(int i, int classes)
        {
            var row = new float[classes];
            for (int j = 0; j < classes; j++)
            {
                row[j] = (float)((double)((long)(((_a * i) + (_b * j)) % _p) * (i + 1) % _p) / _p);
            }

            return row;
        }
    }
}
