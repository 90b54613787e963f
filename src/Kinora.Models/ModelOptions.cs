namespace Kinora.Models;

/// <summary>
/// What a caller may choose about any network of the catalogue. Together with the catalogue name it is all that is
/// needed to build the same network again, so it travels inside checkpoints.
/// </summary>
/// <param name="Classes">Number of classes, at least 1.</param>
/// <param name="Frames">T, frames of one clip; null takes the network's own.</param>
/// <param name="Size">Side of the square input in pixels; null takes the network's own. Every network here accepts any size.</param>
/// <param name="Seed">Keys the initial weights and the dropout masks.</param>
/// <param name="Dropout">Probability of dropping a feature before the classifier, in [0, 1); null takes the network's own.</param>
/// <param name="TemporalShift">Off builds the same network without its temporal shift, to measure what time order is worth.</param>
/// <param name="Pretrained">Starts from the ImageNet weights that travel with Kinora; networks without such weights refuse it.</param>
/// <param name="Shift">What the temporal shifts move; null takes the network's own. Networks without temporal shift refuse it.</param>
public sealed record ModelOptions(
    int Classes,
    int? Frames = null,
    int? Size = null,
    ulong Seed = 0,
    double? Dropout = null,
    bool TemporalShift = true,
    bool Pretrained = false,
    ShiftConvention? Shift = null)
{
    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="ConfigException">A value is out of range; the message names it.</exception>
    public void Validate()
    {
        Require(Classes >= 1, "classes", "at least 1", Classes);
        Require(Frames is null or (>= 1 and <= 4096), "frames", "1 to 4096", Frames);
        Require(Size is null or (>= 32 and <= 8192), "size", "32 to 8192 pixels", Size);
        Require(Shift is null || Enum.IsDefined(Shift.Order), "shift order", "past or future first", Shift?.Order);
        Require(Shift?.Divisor is null or (>= 2 and <= 4096), "shift divisor", "2 to 4096, or none for one in T", Shift?.Divisor);
        Require(Dropout is null or (>= 0 and < 1), "dropout", "a probability in [0, 1)", Dropout);

        static void Require(bool holds, string key, string expected, object? found)
        {
            if (!holds)
            {
                throw new ConfigException(FormattableString.Invariant($"model options: {key}: expected {expected}, found {found}"));
            }
        }
    }
}
