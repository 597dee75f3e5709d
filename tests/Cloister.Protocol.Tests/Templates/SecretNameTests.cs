using System.Text;
using Cloister.Protocol.Templates;

namespace Cloister.Protocol.Tests.Templates;

/// <summary>What a template's text says it can read, and what it reads when it runs.</summary>
public sealed class SecretNameTests
{
    private static Template Parse(string text) => Template.Parse(Encoding.UTF8.GetBytes(text), TemplateKind.File);

    [Theory]
    [InlineData("text {{ 1 }}", "")]
    [InlineData("{{ hex .Secrets.b }}{{ hex .MarbleRun.RootCA.Cert }}{{ hex .Secrets.a.Private }}{{ raw .Secrets.b }}", "b a")]
    [InlineData("{{ hex $.Secrets.a }}{{ .SecretsWrapper.Secrets.b.Public }}", "a b")]
    [InlineData("{{ index .Secrets \"a-b\" | raw }}{{ (index .Secrets `c`).Cert.Raw }}{{ \"d\" | index .Secrets }}", "a-b c d")]
    [InlineData("{{ if false }}{{ raw .Secrets.a }}{{ else }}{{ raw .Secrets.b }}{{ end }}", "a b")]
    [InlineData("{{ with .Secrets }}{{ raw .a }}{{ end }}", "a")]
    [InlineData("{{ with .Secrets.a }}{{ .Type }}{{ .Public }}{{ end }}{{ with $s := .Secrets.b }}{{ hex $s }}{{ end }}", "a b")]
    [InlineData("{{ $s := .Secrets }}{{ raw $s.a }}{{ $t := $s.b }}{{ raw $t }}", "a b")]
    [InlineData("{{ define \"t\" }}{{ raw .x }}{{ end }}{{ template \"t\" .Secrets }}", "x")]
    [InlineData("{{ define \"t\" }}{{ raw .Secrets.x }}{{ $.Secrets.y.Public }}{{ end }}{{ template \"t\" . }}", "x y")]
    [InlineData("{{ define \"t\" }}{{ raw . }}{{ template \"t\" . }}{{ end }}{{ template \"t\" .Secrets.x }}{{ block \"u\" .Secrets.y }}{{ . }}{{ end }}", "x y")]
    [InlineData("{{ define \"t\" }}{{ raw .Secrets.x }}{{ end }}", "")]
    [InlineData("{{ .Secrets.a.Equal .Secrets.b }}{{ eq .Secrets.c.Type .Secrets.d.Type }}", "a b")]
    [InlineData("{{ .Secrets.a.Type }}{{ .Secrets.b.Size }}{{ with .Secrets.c }}{{ .UserDefined }}{{ end }}{{ len .Secrets }}{{ if .Secrets.d }}{{ end }}", "")]
    [InlineData("{{ $x := .Secrets.a }}{{ $x = .Secrets.b }}{{ raw $x }}", "a b")]
    [InlineData("{{ range .Secrets.a.Public }}{{ . }}{{ end }}", "a")]
    [InlineData("{{ or .Secrets.a .Secrets.b | raw }}", "a b")]
    [InlineData("{{ .Secrets }}", "*")]
    [InlineData("{{ . }}", "* previous *")]
    [InlineData("{{ printf \"%v\" . | len }}", "* previous *")]
    [InlineData("{{ range .Secrets }}{{ end }}", "*")]
    [InlineData("{{ $n := \"a\" }}{{ index .Secrets $n }}", "a")]
    [InlineData("{{ index .Secrets (print \"a\") }}", "*")]
    [InlineData("{{ $s := .Secrets }}{{ range 2 }}{{ raw $s.a }}{{ $s = .Previous.Secrets }}{{ end }}", "a *")]
    [InlineData("{{ hex .Previous.Secrets.a }}{{ index .Previous.Secrets \"b\" | hex }}", "previous a b")]
    [InlineData("{{ .Previous }}", "previous *")]
    public void NamesAreTold(string text, string expected)
    {
        Template template = Parse(text);
        string told = Shown(template.SecretsNamed);
        if (template.PreviousSecretsNamed is { All: true } or { Names.IsEmpty: false }) told = $"{told} previous {Shown(template.PreviousSecretsNamed)}".Trim();
        Assert.Equal(expected, told);

        static string Shown(TemplateSecretNames names) => string.Join(' ', names.All ? [.. names.Names, "*"] : names.Names);
    }

    [Theory]
    [InlineData("{{ pem .MarbleRun.MarbleCert.Private }}", true)]
    [InlineData("{{ with .MarbleRun }}{{ with $c := .MarbleCert }}{{ hex $c.Private }}{{ end }}{{ end }}", true)]
    [InlineData("{{ .MarbleRun }}", true)]
    [InlineData("{{ if false }}{{ printf \"%v\" .MarbleRun.MarbleCert }}{{ end }}", true)]
    [InlineData("{{ pem .MarbleRun.MarbleCert.Cert }}{{ hex .MarbleRun.MarbleCert }}{{ .MarbleRun.RootCA.Private }}", false)]
    [InlineData("{{ raw .Secrets.MarbleCert.Private }}", false)]
    public void TheMarblesOwnKeyIsSeen(string text, bool expected) => Assert.Equal(expected, Parse(text).UsesMarbleKey);

    [Theory]
    [InlineData("{{ hex .Secrets.a }}", "a")]
    [InlineData("{{ hex .Secrets.a }}{{ hex .Secrets.a.Private }}", "a")]
    [InlineData("{{ if false }}{{ hex .Secrets.a }}{{ else }}{{ raw .Secrets.b }}{{ end }}", "b")]
    [InlineData("{{ range $k, $v := .Secrets }}{{ $k }}{{ $v.Type }}{{ $v.Size }}{{ end }}", "")]
    [InlineData("{{ range $k, $v := .Secrets }}{{ if eq $k \"b\" }}{{ hex $v }}{{ end }}{{ end }}", "b")]
    [InlineData("{{ len .Secrets }}{{ if .Secrets.a }}{{ end }}{{ .Secrets.c.ValidFor }}", "")]
    [InlineData("{{ print .Secrets | len }}", "a b c")]
    public void OnlyWhatIsReadIsMade(string text, string expected)
    {
        List<string> made = [];
        var secrets = new TemplateSecrets(((string[])["a", "b", "c"]).Select(name => KeyValuePair.Create(name, new TemplateSecret("plain", () =>
        {
            made.Add(name);
            return new TemplateSecretValue(default, "x"u8.ToArray(), "x"u8.ToArray());
        }))));
        Parse(text).Render(new TemplateData { Secrets = secrets });
        Assert.Equal(expected, string.Join(' ', made));
    }

    [Fact]
    public void TheSecretsBeforeARotationAreOthers()
    {
        static TemplateSecrets Of(string value) => new([KeyValuePair.Create("k", TemplateSecret.OfKey("plain", Encoding.UTF8.GetBytes(value)))]);
        byte[] rendered = Parse("{{ raw .Secrets.k }} {{ raw .Previous.Secrets.k }}").Render(new TemplateData { Secrets = Of("new"), PreviousSecrets = Of("old") });
        Assert.Equal("new old", Encoding.UTF8.GetString(rendered));
    }

    [Theory]
    [InlineData("{{ range (raw .Secrets.k) }}{{ end }}")]
    [InlineData("{{ range (print \"a\" (hex .Secrets.k)) }}{{ end }}")]
    [InlineData("{{ range (slice (raw .Secrets.k) 1) }}{{ end }}")]
    [InlineData("{{ eq .Secrets.k.Public .Secrets.k.Public }}")]
    [InlineData("{{ eq .Secrets.k .Secrets.k }}")]
    [InlineData("{{ range $i, $e := index .Secrets.k.Public 0 }}{{ end }}")]
    [InlineData("{{ index \"a\" (index .Secrets.k.Public 0) }}")]
    [InlineData("{{ index \"a\" (raw .Secrets.k) }}")]
    [InlineData("{{ range (printf \"%s\" .Secrets.k) }}{{ end }}")]
    [InlineData("{{ .Secrets.k.Public.Foo }}")]
    [InlineData("{{ index .Secrets (raw .Secrets.k) | raw }}")]
    public void MessagesHoldNoSecret(string text)
    {
        var secrets = new TemplateSecrets([KeyValuePair.Create("k", TemplateSecret.OfKey("plain", "zyxw"u8.ToArray()))]);
        string message = Assert.Throws<ProtocolException>(() => Parse(text).Render(new TemplateData { Secrets = secrets, UnsetIsEmpty = true })).Message;
        foreach (string part in (string[])["zyxw", "yxw", "7a797877", "122", "121"]) Assert.DoesNotContain(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatNobodySetIsRefusedOrEmpty()
    {
        var secrets = new TemplateSecrets([KeyValuePair.Create("u", new TemplateSecret("plain", () => null))]);
        Template reads = Parse("{{ .Secrets.u.Type }}{{ .Secrets.u.Public }}");
        ProtocolException refusal = Assert.Throws<ProtocolException>(() => reads.Render(new TemplateData { Secrets = secrets }));
        Assert.Equal((ProtocolError.TemplateSecretUnset, "u"), (refusal.Error, refusal.Field));
        Assert.Equal("plain[]", Encoding.UTF8.GetString(reads.Render(new TemplateData { Secrets = secrets, UnsetIsEmpty = true })));
        Assert.Equal("plain", Encoding.UTF8.GetString(Parse("{{ .Secrets.u.Type }}").Render(new TemplateData { Secrets = secrets })));
    }
}
