using Kinora.Cli.Terminal;

namespace Kinora.Cli.Tests.Terminal;

public sealed class ShellTests
{
    [Theory]
    [InlineData("é.pack", "é.pack")]
    [InlineData("/data/run-1/a_b.onnx", "/data/run-1/a_b.onnx")]
    [InlineData("a b", "'a b'")]
    [InlineData("", "''")]
    [InlineData("$(x)&", "'$(x)&'")]
    [InlineData("~/a*", "'~/a*'")]
    public void Quote_Argument_OneWordThatMeansItself(string argument, string expected) => Assert.Equal(expected, Shell.Quote(argument));

    [Fact]
    public void Quote_Quotes_EscapedAsTheShellHasIt() => Assert.Equal(OperatingSystem.IsWindows() ? "'it''s'" : "'it'\\''s'", Shell.Quote("it's"));
}
