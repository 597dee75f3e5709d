using System.Text;
using Cloister.Serving.TextFormat;

namespace Cloister.Serving.Tests.TextFormat;

/// <summary>Protobuf's text format, by its specification.</summary>
public sealed class TextParserTests
{
    [Fact]
    public void Every_way_to_write_a_field()
    {
        TextMessage message = Parse("""
            # a comment
            text: 'single' " and" # in between
                  "\tdouble"
            number: 12, real: 1.5e3f; negative: - 7
            message { inner: 1 } message: < inner: 2 >
            list: [1, 2, 3] messages [ { inner: 3 }, < inner: 4 > ] none: []
            word: LATEST
            """);
        Assert.Equal(
            """text: "single and\tdouble" number: 12 real: 1.5e3f negative: -7 message {inner: 1 } message {inner: 2 } list: [1, 2, 3] messages: [{inner: 3 }, {inner: 4 }] none: [] word: LATEST """,
            TextPrinter.Print(message));
    }

    [Theory]
    [InlineData("""v: "\a\b\f\n\r\t\v\?\\\'\"" """, "07 08 0C 0A 0D 09 0B 3F 5C 27 22")]
    [InlineData("""v: "\0\12\3777\x41\xfg\u00e4\U0001F600" """, "00 0A FF 37 41 0F 67 C3 A4 F0 9F 98 80")]
    [InlineData("v: 'it\"s' 'ä'", "69 74 22 73 C3 A4")]
    [InlineData("v: ''", "")]
    public void Escapes(string document, string hexadecimal)
    {
        var text = Assert.IsType<TextString>(Parse(document).Fields[0].Values[0]);
        Assert.Equal(hexadecimal, string.Join(' ', text.Bytes.Select(value => value.ToString("X2", null))));
    }

    [Theory]
    [InlineData("v: 0", 0)]
    [InlineData("v: 0x1F", 31)]
    [InlineData("v: 0X1f", 31)]
    [InlineData("v: 017", 15)]
    [InlineData("v: -9223372036854775808", long.MinValue)]
    [InlineData("v: 9223372036854775807", long.MaxValue)]
    [InlineData("v: -\n # comment\n 5", -5)]
    public void Whole_numbers(string document, long value) => Assert.Equal(value, Fields(document).Integer("v", long.MinValue, long.MaxValue));

    [Theory]
    [InlineData("v: 1.5", 1.5)]
    [InlineData("v: .5", 0.5)]
    [InlineData("v: 1.", 1)]
    [InlineData("v: 10f", 10)]
    [InlineData("v: 1e-2F", 0.01)]
    [InlineData("v: 0x10", 16)]
    [InlineData("v: -3", -3)]
    [InlineData("v: 100000000000000000000", 1e20)]
    [InlineData("v: inf", double.PositiveInfinity)]
    [InlineData("v: -Infinity", double.NegativeInfinity)]
    [InlineData("v: NaN", double.NaN)]
    [InlineData("v: -nan", double.NaN)]
    public void Numbers(string document, double value) => Assert.Equal(value, Fields(document).Number("v"));

    [Theory]
    [InlineData("v: true", true)]
    [InlineData("v: True", true)]
    [InlineData("v: t", true)]
    [InlineData("v: 1", true)]
    [InlineData("v: 0x1", true)]
    [InlineData("v: false", false)]
    [InlineData("v: False", false)]
    [InlineData("v: f", false)]
    [InlineData("v: 0", false)]
    public void Booleans(string document, bool value) => Assert.Equal(value, Fields(document).Flag("v"));

    [Theory]
    [InlineData("v: OTHER", 2)]
    [InlineData("v: 2", 2)]
    [InlineData("v: -1", -1)]
    public void Enums_by_name_or_number(string document, int value) => Assert.Equal(value, Fields(document).Choice("v", ("OTHER", 2), ("BEFORE", -1)));

    [Theory]
    [InlineData("a", "doc:1:2", "':' or '{'")]
    [InlineData("a 1", "doc:1:3", "':' or '{'")]
    [InlineData("a:", "doc:1:3", "a value")]
    [InlineData("a: -", "doc:1:5", "a number after '-'")]
    [InlineData("a: -x", "doc:1:5", "a number after '-'")]
    [InlineData("a: -'x'", "doc:1:5", "a number after '-'")]
    [InlineData("a {", "doc:1:4", "a field's name or '}'")]
    [InlineData("a { b: 1 >", "doc:1:10", "a field's name or '}'")]
    [InlineData("a: 1\n}", "doc:2:1", "a field's name or the end")]
    [InlineData("a: [1 2]", "doc:1:7", "',' or ']'")]
    [InlineData("a: [1,]", "doc:1:7", "a value")]
    [InlineData("a: [[1]]", "doc:1:5", "a value")]
    [InlineData("a [1]", "doc:1:4", "'{' or '<'")]
    [InlineData("a: 1,, b: 2", "doc:1:6", "a field's name")]
    [InlineData("1: 2", "doc:1:1", "a field's name")]
    [InlineData("a: 'x", "doc:1:4", "not closed")]
    [InlineData("a: 'x\n'", "doc:1:4", "not closed on its line")]
    [InlineData("a: 'x\\", "doc:1:4", "not closed")]
    [InlineData("a: '\\q'", "doc:1:4", "escape")]
    [InlineData("a: '\\x'", "doc:1:4", "escape")]
    [InlineData("a: '\\477'", "doc:1:4", "escape")]
    [InlineData("a: '\\ud800'", "doc:1:4", "escape")]
    [InlineData("a: '\\U00110000'", "doc:1:4", "escape")]
    [InlineData("a: 10bar", "doc:1:6", "space")]
    [InlineData("a: 1.2.3", "doc:1:7", "space")]
    [InlineData("a: 0x", "doc:1:4", "hexadecimal")]
    [InlineData("a: 1e+", "doc:1:4", "exponent")]
    [InlineData("a: 08", "doc:1:4", "octal")]
    [InlineData("a: 01.5", "doc:1:4", "octal")]
    [InlineData("a: 07f", "doc:1:4", "octal")]
    [InlineData("a: 'ä' @", "doc:1:8", "'@' has no meaning")]
    [InlineData("[type.googleapis.com/x] { }", "doc:1:1", "Any")]
    [InlineData("[a.b]: 1", "doc:1:1", "Extensions")]
    public void What_is_not_text_format_is_refused_with_its_place(string document, string place, string reason)
    {
        var refusal = Assert.Throws<ServingException>(() => Parse(document));
        Assert.Equal(ServingError.SettingsMalformed, refusal.Error);
        Assert.StartsWith(place + ": ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v: 1 v: 2", "twice")]
    [InlineData("v: [1]", "not a list")]
    [InlineData("v: 'x'", "a whole number")]
    [InlineData("v: 1.5", "a whole number")]
    [InlineData("v: x", "a whole number")]
    [InlineData("v { }", "a whole number")]
    [InlineData("v: 11", "from 0 to 10")]
    [InlineData("v: -1", "from 0 to 10")]
    [InlineData("v: 99999999999999999999999", "from 0 to 10")]
    [InlineData("v: 0x1ffffffffffffffff", "from 0 to 10")]
    [InlineData("v: 07777777777777777777777777", "from 0 to 10")]
    [InlineData("v: 1 w: 2", "M has no field 'w'; it has v")]
    public void What_a_field_may_not_say_is_refused(string document, string reason)
    {
        var refusal = Assert.Throws<ServingException>(() =>
        {
            TextFields fields = Fields(document);
            fields.Integer("v", 0, 10);
            fields.RefuseOthers();
        });
        Assert.Equal(ServingError.SettingsRefused, refusal.Error);
        Assert.StartsWith("doc:1:", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_string_field_wants_utf8_and_keeps_its_text_out_of_refusals()
    {
        Assert.Contains("not UTF-8", Assert.Throws<ServingException>(() => Fields("""v: "\xff" """).Text("v")).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Assert.Throws<ServingException>(() => Parse("v 'secret'")).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Assert.Throws<ServingException>(() => Fields("v: 'secret'").Flag("v")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Size_and_depth_are_bounded()
    {
        Parse(new string(' ', TextParser.MaximumBytes));
        Assert.Equal(ServingError.SettingsMalformed, Assert.Throws<ServingException>(() => Parse(new string(' ', TextParser.MaximumBytes + 1))).Error);
        Parse(string.Concat(Enumerable.Repeat("a{", TextParser.MaximumDepth)) + new string('}', TextParser.MaximumDepth));
        Assert.Contains("deeper", Assert.Throws<ServingException>(() => Parse(string.Concat(Enumerable.Repeat("a{", 400_000)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over() => Assert.Equal("a: 1 ", TextPrinter.Print(TextParser.Parse([.. Encoding.UTF8.Preamble, .. "a: 1"u8], "doc")));

    [Fact]
    public void Mutations_are_accepted_or_refused_and_what_is_accepted_prints_and_reads_alike()
    {
        byte[] seed = Encoding.UTF8.GetBytes("""
            model_config_list { config { name: 'a' "b\n\x41\u00e4" base_path: "/m" model_version_policy { specific { versions: [1, 0x2] } } version_labels < key: 'x' value: 07 > } }
            a: -1.5e3f, b: inf; c: [ true, FALSE ] d [ { e: nan }, < > ] # end
            """);
        byte[] symbols = [.. "{}<>[]:,;'\"\\#-.0x\n"u8];
        for (int round = 1; round <= 20_000; round++)
        {
            var random = new Random(round);
            List<byte> bytes = [.. seed];
            for (int change = random.Next(1, 5); change > 0 && bytes.Count > 1; change--)
            {
                int at = random.Next(bytes.Count);
                switch (random.Next(4))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveRange(at, random.Next(Math.Min(9, bytes.Count - at))); break;
                    case 2: bytes.Insert(at, symbols[random.Next(symbols.Length)]); break;
                    default: bytes.RemoveRange(at, bytes.Count - at); break;
                }
            }
            byte[] document = [.. bytes];
            TextParser.Fuzz(document);
            TextMessage accepted;
            try
            {
                accepted = TextParser.Parse(document, "doc");
            }
            catch (ServingException)
            {
                continue;
            }
            string printed = TextPrinter.Print(accepted);
            Assert.Equal(printed, TextPrinter.Print(Parse(printed)));
        }
    }

    private static TextMessage Parse(string document) => TextParser.Parse(Encoding.UTF8.GetBytes(document), "doc");

    private static TextFields Fields(string document) => new(Parse(document), "M");
}
