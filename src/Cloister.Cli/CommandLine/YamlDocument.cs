using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Cloister.Cli.CommandLine;

/// <summary>
/// Turns one YAML document into the JSON it stands for, for readers of JSON to judge. Of plain scalars <c>true</c>, <c>false</c>,
/// <c>null</c> and whole numbers of at most 18 digits without leading zeros are such; all others are texts, so that digests and
/// versions need no quotes. Anchors, aliases, tags and further documents are refused.
/// </summary>
internal static partial class YamlDocument
{
    private const int MaximumDepth = 64, MaximumDigits = 18;

    public static bool IsNamed(string path) => path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);

    /// <param name="utf8">The document.</param>
    /// <param name="unambiguous">Refuses plain scalars that other readers of YAML take for something else than text: <c>yes</c>, <c>0x10</c>, <c>1e3</c>.</param>
    /// <exception cref="FormatException">It is not such a document; the text says what and where.</exception>
    public static byte[] ToJson(ReadOnlySpan<byte> utf8, bool unambiguous = false)
    {
        var output = new ArrayBufferWriter<byte>();
        try
        {
            using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { MaxDepth = MaximumDepth });
            Write(new Parser(new StringReader(new UTF8Encoding(false, true).GetString(utf8))), writer, unambiguous);
        }
        catch (YamlException malformed)
        {
            throw new FormatException($"not YAML: {malformed.Message} (line {malformed.Start.Line})", malformed);
        }
        catch (DecoderFallbackException malformed)
        {
            throw new FormatException("not UTF-8", malformed);
        }
        catch (InvalidOperationException malformed)
        {
            throw new FormatException("not YAML: collections are not closed as they were opened", malformed); // the parser's own state, for a flow list that never ends
        }
        catch (ArgumentException malformed)
        {
            throw new FormatException("a text in it is not Unicode", malformed); // half a surrogate pair, written as an escape
        }
        return output.WrittenSpan.ToArray();
    }

    private static void Write(Parser parser, Utf8JsonWriter writer, bool unambiguous)
    {
        // One entry for each open collection: whether a member's name comes next; null in a list.
        var open = new Stack<bool?>();
        int documents = 0;
        while (parser.MoveNext())
        {
            ParsingEvent now = parser.Current!;
            if (now is DocumentStart && ++documents > 1) throw At(now, "a second document");
            if (now is AnchorAlias) throw At(now, "an alias; write it out");
            if (now is MappingEnd) { writer.WriteEndObject(); open.Pop(); Next(open); }
            if (now is SequenceEnd) { writer.WriteEndArray(); open.Pop(); Next(open); }
            if (now is not NodeEvent node || now is AnchorAlias) continue;
            if (!node.Anchor.IsEmpty) throw At(now, "an anchor; write it out");
            if (!node.Tag.IsEmpty) throw At(now, "a tag; values have none");
            bool name = open.TryPeek(out bool? expected) && expected == true;
            if (now is Scalar scalar)
            {
                if (unambiguous && scalar.Style == ScalarStyle.Plain && Ambiguous().IsMatch(scalar.Value) && !IsWholeNumber(scalar.Value))
                    throw At(now, $"'{scalar.Value}' is read in several ways; write true, false, a whole number in digits, or put it in quotes");
                if (name) writer.WritePropertyName(scalar.Value);
                else WriteValue(writer, scalar);
                Next(open);
                continue;
            }
            if (name) throw At(now, "a name that is no text");
            if (open.Count == MaximumDepth - 1) throw At(now, $"nested over {MaximumDepth - 1} deep");
            if (now is MappingStart) { writer.WriteStartObject(); open.Push(true); }
            else { writer.WriteStartArray(); open.Push(null); }
        }
        if (documents == 0) throw new FormatException("the document is empty");
    }

    private static void Next(Stack<bool?> open)
    {
        if (open.TryPop(out bool? expected)) open.Push(!expected);
    }

    private static void WriteValue(Utf8JsonWriter writer, Scalar scalar)
    {
        string text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain) writer.WriteStringValue(text);
        else if (text is "true" or "false") writer.WriteBooleanValue(text == "true");
        else if (text is "" or "null" or "~") writer.WriteNullValue();
        else if (IsWholeNumber(text)) writer.WriteNumberValue(long.Parse(text, CultureInfo.InvariantCulture));
        else writer.WriteStringValue(text);
    }

    private static bool IsWholeNumber(string text) => text.Length is > 0 and <= MaximumDigits && text.All(char.IsAsciiDigit) && (text[0] != '0' || text.Length == 1);

    /// <summary>Truth values and numbers of YAML 1.1 (sections of its type repository: bool, int, float, merge).</summary>
    [GeneratedRegex(@"^([yYnN]|yes|Yes|YES|no|No|NO|True|TRUE|False|FALSE|on|On|ON|off|Off|OFF|Null|NULL|<<|[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN))$", RegexOptions.CultureInvariant)]
    private static partial Regex Ambiguous();

    private static FormatException At(ParsingEvent where, string what) => new($"line {where.Start.Line}: {what}");
}
