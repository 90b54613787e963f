using System.Globalization;
using System.Text;

namespace Kinora.Paddle;

/// <summary>
/// Reads texts that are Python literals, as Python's <c>ast.literal_eval</c> does: numbers, strings, True, False, None, and
/// tuples, lists and dictionaries of these. Nothing is ever executed; whatever is anything else is no literal.
/// </summary>
/// <remarks>
/// Left out, because no recipe needs them: bytes, complex numbers, sets, string prefixes and the escapes \N, \u and octal. A
/// text with one of these stays the text that it is.
/// </remarks>
internal ref struct PythonLiteral
{
    private const int MaxDepth = 16;

    private readonly ReadOnlySpan<char> _text;
    private int _at;

    private PythonLiteral(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Reads a literal.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="value">
    /// Null, bool, long, double, string, <c>object?[]</c> for lists and tuples, or a dictionary; meaningless where the result is
    /// false.
    /// </param>
    /// <returns>Whether the whole text is one literal.</returns>
    public static bool TryParse(string text, out object? value)
    {
        // Python strips blanks and tabs in front; newlines there would be an indentation error.
        var reader = new PythonLiteral(text.AsSpan().TrimStart(" \t"));
        return reader.Items(0, out value) && reader.AtEnd();
    }

    // A value, or several with commas, which are a tuple.
    private bool Items(int depth, out object? value)
    {
        if (!Value(depth, out value))
        {
            return false;
        }

        if (!Next(','))
        {
            return true;
        }

        List<object?> items = [value];
        while (!AtEnd() && Peek() != ')')
        {
            if (!Value(depth, out object? item))
            {
                return false;
            }

            items.Add(item);
            if (!Next(','))
            {
                break;
            }
        }

        value = items.ToArray();
        return true;
    }

    private bool Value(int depth, out object? value)
    {
        value = null;
        SkipBlanks();
        if (depth > MaxDepth || _at == _text.Length)
        {
            return false;
        }

        char first = _text[_at];
        switch (first)
        {
            case '(':
                _at++;
                if (Next(')'))
                {
                    value = Array.Empty<object?>();
                    return true;
                }

                return Items(depth + 1, out value) && Next(')');
            case '[':
                _at++;
                return List(depth + 1, out value);
            case '{':
                _at++;
                return Dictionary(depth + 1, out value);
            case '\'' or '"':
                return Text(out value);
            case '+' or '-':
                _at++;
                return Value(depth + 1, out value) && Signed(first == '-', ref value);
            default:
                return char.IsAsciiDigit(first) || first == '.' ? Number(out value) : Word(out value);
        }
    }

    private bool List(int depth, out object? value)
    {
        List<object?> items = [];
        value = null;
        while (!Next(']'))
        {
            if (!Value(depth, out object? item))
            {
                return false;
            }

            items.Add(item);
            if (!Next(',') && Peek() != ']')
            {
                return false;
            }
        }

        value = items.ToArray();
        return true;
    }

    private bool Dictionary(int depth, out object? value)
    {
        var items = new Dictionary<string, object?>(StringComparer.Ordinal);
        value = null;
        while (!Next('}'))
        {
            if (!Value(depth, out object? key) || key is not string name || !Next(':') || !Value(depth, out object? item))
            {
                return false;
            }

            items[name] = item;
            if (!Next(',') && Peek() != '}')
            {
                return false;
            }
        }

        value = items;
        return true;
    }

    private bool Text(out object? value)
    {
        char quote = _text[_at++];
        var content = new StringBuilder();
        value = null;
        while (_at < _text.Length)
        {
            char c = _text[_at++];
            if (c == quote)
            {
                value = content.ToString();
                return true;
            }

            if (c == '\n')
            {
                return false;
            }

            if (c == '\\')
            {
                const string codes = "\\'\"nrtabfv0", characters = "\\'\"\n\r\t\a\b\f\v\0";
                int known = _at < _text.Length ? codes.IndexOf(_text[_at], StringComparison.Ordinal) : -1;
                if (known < 0)
                {
                    return false;
                }

                c = characters[known];
                _at++;
            }

            content.Append(c);
        }

        return false;
    }

    private bool Number(out object? value)
    {
        int start = _at;
        value = null;
        if (_text[_at] == '0' && _at + 1 < _text.Length && (_text[_at + 1] | 0x20) is 'x' or 'o' or 'b')
        {
            return Radix(out value);
        }

        bool whole = true;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (c is '.' or 'e' or 'E')
            {
                whole = false;
            }
            else if (c is '+' or '-' ? _text[_at - 1] is not ('e' or 'E') : c != '_' && !char.IsAsciiDigit(c))
            {
                break;
            }

            _at++;
        }

        ReadOnlySpan<char> digits = _text[start.._at];
        if (!WithoutUnderscores(digits, out string plain))
        {
            return false;
        }

        if (whole)
        {
            // Python forbids leading zeros, which were octal once.
            bool octal = plain.Length > 1 && plain[0] == '0' && plain.AsSpan().ContainsAnyExcept('0');
            bool fits = long.TryParse(plain, NumberStyles.None, CultureInfo.InvariantCulture, out long number);
            value = number;
            return fits && !octal;
        }

        const NumberStyles real = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        bool parsed = double.TryParse(plain, real, CultureInfo.InvariantCulture, out double result);
        value = result;
        return parsed;
    }

    private bool Radix(out object? value)
    {
        int radix = (_text[_at + 1] | 0x20) switch { 'x' => 16, 'o' => 8, _ => 2 };
        _at += 2;
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiHexDigit(_text[_at]) || _text[_at] == '_'))
        {
            _at++;
        }

        value = null;
        if (start == _at || !WithoutUnderscores(_text[start.._at].TrimStart('_'), out string digits))
        {
            return false;
        }

        long number = 0;
        foreach (char c in digits)
        {
            int digit = Convert.ToInt32(c.ToString(), 16);
            if (digit >= radix || number > (long.MaxValue - digit) / radix)
            {
                return false;
            }

            number = (number * radix) + digit;
        }

        value = number;
        return true;
    }

    private bool Word(out object? value)
    {
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] == '_'))
        {
            _at++;
        }

        (bool known, value) = _text[start.._at] switch
        {
            "None" => (true, (object?)null),
            "True" => (true, true),
            "False" => (true, false),
            _ => (false, null),
        };
        return known;
    }

    private static bool Signed(bool minus, ref object? value)
    {
        value = value switch
        {
            long number => minus ? -number : number,
            double number => minus ? -number : number,
            _ => null,
        };
        return value is not null;
    }

    // Single underscores between digits only.
    private static bool WithoutUnderscores(ReadOnlySpan<char> digits, out string plain)
    {
        plain = digits.ToString().Replace("_", "", StringComparison.Ordinal);
        for (int i = 0; i < digits.Length; i++)
        {
            if (digits[i] == '_' && (i == 0 || i == digits.Length - 1 || !char.IsAsciiHexDigit(digits[i - 1]) || !char.IsAsciiHexDigit(digits[i + 1])))
            {
                return false;
            }
        }

        return plain.Length > 0;
    }

    private bool Next(char expected)
    {
        if (Peek() != expected)
        {
            return false;
        }

        _at++;
        return true;
    }

    private char Peek()
    {
        SkipBlanks();
        return _at < _text.Length ? _text[_at] : '\0';
    }

    private bool AtEnd()
    {
        SkipBlanks();
        return _at == _text.Length;
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }
}
