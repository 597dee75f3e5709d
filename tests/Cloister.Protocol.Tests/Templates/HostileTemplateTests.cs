using System.Text;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;
using Cloister.Protocol.Templates.Execution;

namespace Cloister.Protocol.Tests.Templates;

/// <summary>Templates that would run on for ever, or need all memory or stack, end in a refusal.</summary>
public sealed class HostileTemplateTests
{
    private static ProtocolError Refusal(string text) => Assert.Throws<ProtocolException>(() => Render(text)).Error;

    private static byte[] Render(string text) => Template.Parse(Encoding.UTF8.GetBytes(text), TemplateKind.File).Render(new TemplateData());

    private static string Repeat(string text, int count) => new StringBuilder().Insert(0, text, count).ToString();

    [Theory]
    [InlineData("{{ range 9223372036854775807 }}{{ end }}")]
    [InlineData("{{ range 10000 }}{{ range 10000 }}{{ end }}{{ end }}")]
    [InlineData("{{ $x := 0 }}{{ range 9223372036854775807 }}{{ $x = eq . 3 }}{{ end }}")]
    [InlineData("{{ define \"a\" }}{{ template \"b\" }}{{ template \"b\" }}{{ end }}{{ define \"b\" }}{{ range 999 }}{{ range 999 }}{{ end }}{{ end }}{{ end }}{{ range 99 }}{{ template \"a\" }}{{ end }}")]
    public void LoopsEnd(string text) => Assert.Equal(ProtocolError.TemplateTooLong, Refusal(text));

    [Theory]
    [InlineData("{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}")]
    [InlineData("{{ define \"a\" }}{{ template \"b\" . }}{{ end }}{{ define \"b\" }}{{ with 1 }}{{ template \"a\" . }}{{ end }}{{ end }}{{ template \"a\" 1 }}")]
    public void RecursionEnds(string text) => Assert.Equal(ProtocolError.TemplateTooDeep, Refusal(text));

    [Theory]
    [InlineData("{{ $x := \"0123456789abcdef\" }}{{ range 64 }}{{ $x = print $x $x }}{{ end }}{{ len $x }}")]
    [InlineData("{{ $x := printf \"%1000000d\" 1 }}{{ range 100 }}{{ $x }}{{ end }}")]
    [InlineData("{{ $x := printf \"%999999d\" 1 }}{{ range 1000 }}{{ $y := printf \"%s\" $x }}{{ end }}")]
    [InlineData("{{ $x := printf \"%999999d\" 1 }}{{ html $x $x $x $x $x $x $x $x $x }}")]
    [InlineData("{{ $x := printf \"%999999d\" 1 }}{{ $y := print $x $x $x $x }}{{ printf \"%x\" $y | js | len }}{{ printf \"% x\" $y }}")]
    public void TextsStaySmall(string text) => Assert.Equal(ProtocolError.TemplateTooLarge, Refusal(text));

    [Fact]
    public void DeepNestingIsRefusedWhereItStandsAndNotByTheStack()
    {
        const int Deep = 100_000;
        Assert.Equal(ProtocolError.TemplateTooDeep, Refusal("{{ " + new string('(', Deep) + "1" + new string(')', Deep) + " }}"));
        Assert.Equal(ProtocolError.TemplateTooDeep, Refusal(Repeat("{{ if 1 }}", Deep)));
        Assert.Equal(ProtocolError.TemplateTooDeep, Refusal("{{ if 0 }}" + Repeat("{{ else if 0 }}", 50_000) + "{{ end }}"));
        Assert.Equal(ProtocolError.TemplateTooDeep, Refusal(Repeat("{{ block \"b\" 1 }}", 50_000)));
        Assert.Equal(ProtocolError.TemplateTooDeep, Refusal("{{ with 0 }}" + Repeat("{{ else with 0 }}", 50_000) + "{{ end }}"));
        string nested = Repeat("{{ if 1 }}", 150) + "x" + Repeat("{{ end }}", 150);
        Assert.Equal("x", Encoding.UTF8.GetString(Render(nested)));
    }

    [Fact]
    public void DeepestEvaluationFitsASmallStack()
    {
        string parens = "{{ define \"a\" }}" + Repeat("{{ if " + new string('(', 20) + "1" + new string(')', 20) + " }}", 40)
            + "{{ template \"a\" " + new string('(', 50) + "." + new string(')', 50) + " }}" + Repeat("{{ end }}", 40) + "{{ end }}{{ template \"a\" 1 }}";
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() => Render(parens)), 512 * 1024);
        thread.Start();
        thread.Join();
        Assert.Equal(ProtocolError.TemplateTooDeep, Assert.IsType<ProtocolException>(thrown).Error);
    }

    [Fact]
    public void LargeTextsAreReadInTimeThatGrowsWithThem()
    {
        Assert.Equal(ProtocolError.TemplateTooLarge, Refusal(new string('x', Template.MaxBytes + 1)));
        Assert.Equal(Template.MaxBytes, Render(new string('x', Template.MaxBytes)).Length);
        Assert.Empty(Render(Repeat("{{/**/}}", Template.MaxBytes / 8)));
        Assert.Empty(Render(Repeat("{{$x:=1}}", Template.MaxBytes / 9)));
        Assert.Empty(Render(Repeat("{{ define \"a\" }}{{ end }}", Template.MaxBytes / 26)));
        Assert.Equal(ProtocolError.TemplateSyntax, Refusal(Repeat("{{", Template.MaxBytes / 2)));
        Assert.Equal(ProtocolError.TemplateSyntax, Refusal("{{ print " + Repeat("1 ", 500_000)));
        Assert.Equal(ProtocolError.TemplateSyntax, Refusal("{{ " + new string('1', 1_000_000) + " }}"));
        Assert.Equal(ProtocolError.TemplateUnknown, Refusal("{{ " + new string('a', 1_000_000) + " }}"));
        Assert.Equal(ProtocolError.TemplateSyntax, Refusal("{{ 0x" + new string('1', 500_000) + "p1 }}"));
        // Many templates that many callers call with different secrets: the analysis is bounded too.
        string many = string.Concat(Enumerable.Range(0, 9000).Select(i => $"{{{{template \"t\" .Secrets.s{i}}}}}"));
        Assert.Equal(9000, Template.Parse(Encoding.UTF8.GetBytes("{{define \"t\"}}" + Repeat("{{.Type}}", 50_000) + "{{.Public}}{{end}}" + many), TemplateKind.File).SecretsNamed is { All: true } ? 9000 : 0);
    }

    [Fact]
    public void AManifestOfCostlyTemplatesIsRefusedOnceTheyCostTooMuch()
    {
        string files = string.Join(',', Enumerable.Range(0, 200).Select(i => $"\"/{i}\": \"{{{{ range 900000 }}}}{{{{ end }}}}\""));
        string manifest = $$"""{ "Packages": { "p": { "UniqueID": "00" } }, "Marbles": { "m": { "Package": "p", "Parameters": { "Files": { {{files}} } } } } }""";
        ManifestOutcome outcome = ManifestReader.Read(Encoding.UTF8.GetBytes(manifest), ManifestDialect.MarbleRun);
        Assert.All(outcome.Problems, problem => Assert.Equal(ManifestProblemCode.TemplateWrong, problem.Code));
        Assert.InRange(outcome.Problems.Length, 150, 199);
    }

    [Fact]
    public void ADryRunHasCertificatesThatCanBeAsked()
    {
        string manifest = """
            { "Packages": { "p": { "UniqueID": "00" } }, "Secrets": { "c": { "Type": "cert-ecdsa", "Size": 256 } },
              "Marbles": { "m": { "Package": "p", "Parameters": { "Files": { "/f": "{{ index .Secrets.c.Cert.DNSNames 0 }}{{ slice .Secrets.c.Private 0 32 | printf \"%x\" }}" } } } } }
            """;
        Assert.True(ManifestReader.Read(Encoding.UTF8.GetBytes(manifest), ManifestDialect.MarbleRun).IsAccepted);
    }

    [Fact]
    public void MessagesAreShort()
    {
        ProtocolException error = Assert.Throws<ProtocolException>(() => Render("{{ if lt 1 (print " + Repeat("\"a\" ", 100_000) + ") }}{{ end }}"));
        Assert.True(error.Message.Length < 1000, $"{error.Message.Length} characters");
    }

    [Fact]
    public void BuffersAreClearedInTheEnd()
    {
        byte[] buffer;
        using (var budget = new WorkBudget())
        {
            buffer = budget.Buffer(32);
            buffer.AsSpan().Fill(7);
        }
        Assert.Equal(new byte[32], buffer);
    }

    [Fact]
    public void MutationsRenderOrAreRefused() => Mutations.Drive(
        data => Template.Fuzz(data), 12_000,
        [0, .. "a {{- hex .Secrets.key -}} b {{ pem .MarbleRun.RootCA.Cert }}{{/* c */}}"u8],
        [1, .. "{{ string .Secrets.plain }} {{ base64 .Secrets.cert.Private | printf \"%5.2q|%-3d\" 3 }}"u8],
        [0, .. "{{ range $k, $v := .Secrets }}{{ if eq $v.Type \"plain\" }}{{ $k }}{{ continue }}{{ else if $x := 3 }}{{ break }}{{ end }}{{ else }}none{{ end }}"u8],
        [0, .. "{{ define \"t\" }}{{ . }}{{ $ }}{{ end }}{{ template \"t\" (index .Secrets \"key\").Public }}{{ block \"b\" 0x1F }}{{ . }}{{ end }}"u8],
        [0, .. "{{ with $s := .Previous.Secrets }}{{ len $s }}{{ else with `raw` }}{{ slice . 1 2 }}{{ end }}{{ and 1 (or 0 'x') | println 1e3 -0x1p-2 1+2i | js }}"u8]);
}
