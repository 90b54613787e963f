using HandlebarsDotNet;

namespace Kinora.Training;

/// <summary>What all of Kinora's HTML pages share: one style sheet, light and dark, and the template engine.</summary>
public static class ReportStyle
{
    private static readonly Lazy<string> Sheet = new(() => Resource("report.css"));

    /// <summary>The style sheet, for a style element; it follows the reader's light or dark preference.</summary>
    public static string Css => Sheet.Value;

    /// <summary>Fills a Handlebars template; values are HTML-encoded unless written with three braces.</summary>
    /// <param name="template">Template text.</param>
    /// <param name="model">Anonymous or public objects, dictionaries and lists.</param>
    /// <returns>The page.</returns>
    public static string Render(string template, object model) =>
        Handlebars.Create(new HandlebarsConfiguration { ThrowOnUnresolvedBindingExpression = true }).Compile(template)(model);

    internal static string Resource(string name)
    {
        using Stream stream = typeof(ReportStyle).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"embedded resource missing: {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
