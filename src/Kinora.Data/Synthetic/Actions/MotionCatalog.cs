using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Actions;

/// <summary>One class of synthetic clips.</summary>
/// <param name="Name">Class name.</param>
/// <param name="Partner">The class that shows the same process in the opposite order of frames, or null.</param>
/// <param name="Reversed">Whether the process of <see cref="Partner"/> is played backwards.</param>
/// <param name="Create">Draws one performance; the last argument is the length of the clip in seconds.</param>
internal sealed record MotionClass(string Name, string? Partner, bool Reversed, Func<Body, CounterRandom, double, Motion> Create);

/// <summary>All classes, in one explicit list.</summary>
internal static class MotionCatalog
{
    public static IReadOnlyList<MotionClass> All { get; } =
    [
        .. Pair("sit_down", "stand_up", (body, random, _) => new SitDown(body, random)),
        .. Pair("fall_down", "get_up", (body, random, _) => new FallDown(body, random)),
        .. Pair("open_door", "close_door", (body, random, _) => new OpenDoor(body, random)),
        .. Pair("pick_up", "put_down", (body, random, _) => new PickUp(body, random)),
        .. Pair("push", "pull", (body, random, _) => new Push(body, random)),
        new("wave", null, false, (body, random, _) => new Wave(body, random)),
        new("clap", null, false, (body, random, _) => new Clap(body, random)),
        new("jumping_jack", null, false, (body, random, _) => new JumpingJack(body, random)),
        new("jump", null, false, (body, random, _) => new Jump(body, random)),
        new("kick", null, false, (body, random, _) => new Kick(body, random)),
        new("punch", null, false, (body, random, _) => new Punch(body, random)),
        new("spin_arms", null, false, (body, random, _) => new SpinArms(body, random)),
        new("squat", null, false, (body, random, _) => new Squat(body, random)),
        new("walk", null, false, (body, random, seconds) => new Walk(body, random, seconds)),
    ];

    public static MotionClass Find(string name) => All.First(m => m.Name == name);

    private static MotionClass[] Pair(string forward, string backward, Func<Body, CounterRandom, double, Motion> create) =>
        [new(forward, backward, false, create), new(backward, forward, true, create)];
}
