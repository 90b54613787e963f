namespace Kinora.Training.Tests;

public sealed class ScoreBoardTests
{
    [Fact]
    public void TopK_UnreadableMissingAndNaNClips_CountAsWrong()
    {
        var board = new ScoreBoard(samples: 4, classes: 2);
        board.Add(0, 0, 1, [0f, 1f]);
        board.Add(1, 0, 1, [0f, float.NaN]);
        board.AddFailure(2, 0);
        Assert.Equal(0.25, board.TopK(1));
        Assert.Equal(0.25, board.TopK(2));
        Assert.Equal([3], board.Missing());
        ConfusionMatrix matrix = board.Confusion();
        Assert.Equal((1, 1, 1), (matrix[1, 1], matrix.Unanswered(1), matrix.Unanswered(0)));
    }

    [Fact]
    public void TopK_ConstantScores_AreWorthNoMoreThanChance()
    {
        var board = new ScoreBoard(10, 10);
        for (int i = 0; i < 10; i++)
        {
            board.Add(i, 0, i, new float[10]);
        }

        Assert.Equal(0.1, board.TopK(1));
        Assert.Equal(0.5, board.TopK(5));
    }

    [Fact]
    public void Add_SameViewTwice_CountsOnce()
    {
        var board = new ScoreBoard(1, 2, views: 2);
        board.Add(0, 0, 0, [1f, 0f]);
        board.Add(0, 0, 0, [1f, 0f]);
        board.Add(0, 1, 0, [0f, 5f]);
        Assert.Equal(1, board.Repeats);
        Assert.Equal([1.0, 5.0], board.Sums(0).ToArray());
        Assert.Equal(0.0, board.TopK(1));
    }

    [Fact]
    public void MeanClassAccuracy_UnevenClasses_WeighsClassesAlike()
    {
        var matrix = new ConfusionMatrix(3);
        matrix.Add(0, 0);
        matrix.Add(0, 0);
        matrix.Add(0, 1);
        matrix.Add(1, 0);
        Assert.Equal(1.0 / 3, matrix.MeanClassAccuracy(), 1e-12);
        Assert.True(double.IsNaN(matrix.Accuracy(2)));
    }
}
