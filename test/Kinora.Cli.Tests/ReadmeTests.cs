using Kinora.Testing;

namespace Kinora.Cli.Tests;

public sealed class ReadmeTests
{
    [Fact]
    public void Readme_CSharpProgram_IsTheOneThatCompiles()
    {
        string[] readme = File.ReadAllLines(Path.Combine(SharedData.Checkout, "README.md"));
        int start = Array.IndexOf(readme, "```csharp");
        string[] shown = [.. readme[(start + 1)..Array.IndexOf(readme, "```", start + 1)].Where(l => l.Length > 0)];

        string[] source = File.ReadAllLines(Path.Combine(SharedData.Checkout, "test", "Kinora.Cli.Tests", "Snippets", "ClassifySnippet.cs"));
        IEnumerable<string> usings = source.Where(l => l.StartsWith("using ", StringComparison.Ordinal));
        int first = Array.FindIndex(source, l => l.Trim() == "// <snippet>"), last = Array.FindIndex(source, l => l.Trim() == "// </snippet>");
        IEnumerable<string> body = source[(first + 1)..last].Where(l => l.Length > 0).Select(l => l[8..]);

        Assert.Equal(usings.Concat(body), shown);
    }

    [Fact]
    public void Readme_LinkedFiles_Exist()
    {
        string text = File.ReadAllText(Path.Combine(SharedData.Checkout, "README.md"));
        foreach (System.Text.RegularExpressions.Match link in System.Text.RegularExpressions.Regex.Matches(text, @"\]\((?!http)([^)#]+)\)"))
        {
            Assert.True(Path.Exists(Path.Combine(SharedData.Checkout, link.Groups[1].Value)), $"README links to {link.Groups[1].Value}, which isn't there");
        }
    }
}
