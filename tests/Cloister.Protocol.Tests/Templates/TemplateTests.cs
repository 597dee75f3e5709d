using System.Text;
using Cloister.Protocol.Templates;

namespace Cloister.Protocol.Tests.Templates;

public sealed class TemplateTests
{
    private static readonly TemplateData s_data = new()
    {
        MarbleRoot = new byte[] { 1 },
        CoordinatorRoot = new byte[] { 2 },
        CoordinatorIntermediate = new byte[] { 3 },
        MarbleCertificate = new TemplateSecret("cert-ecdsa", new byte[] { 4 }, new byte[] { 5 }, new byte[] { 6 }),
        Secrets = new TemplateSecrets(new Dictionary<string, TemplateSecret>
        {
            ["plain"] = TemplateSecret.OfKey("plain", "text"u8.ToArray()),
            ["empty"] = TemplateSecret.OfKey("plain", default),
            ["nul"] = TemplateSecret.OfKey("plain", new byte[] { 65, 0 }),
            ["key"] = TemplateSecret.OfKey("symmetric-key", new byte[] { 0xAB, 0xCD }),
            ["cert"] = new TemplateSecret("cert-rsa", new byte[] { 7 }, new byte[] { 8 }, new byte[] { 9 }),
            ["half"] = new TemplateSecret("cert-rsa", new byte[] { 7 }, default, default),
            ["unset"] = TemplateSecret.Unset("plain"),
        }),
    };

    private static string Render(string text, TemplateKind kind = TemplateKind.File) =>
        Encoding.Latin1.GetString(Template.Parse(Encoding.UTF8.GetBytes(text), kind).Render(s_data));

    private static ProtocolError Refusal(string text, TemplateKind kind = TemplateKind.File) =>
        Assert.Throws<ProtocolException>(() => Render(text, kind)).Error;

    [Theory]
    [InlineData("", "")]
    [InlineData("plain text", "plain text")]
    [InlineData("}} { {x}", "}} { {x}")]
    [InlineData("a{{ hex .Secrets.key }}b{{hex .Secrets.plain}}c", "aabcdb74657874c")]
    [InlineData("a \n {{- hex .Secrets.key -}} \t b", "aabcdb")]
    [InlineData("a {{ hex .Secrets.key -}}  \n b {{- hex .Secrets.key }} c", "a abcdbabcd c")]
    [InlineData("{{\nhex\t.Secrets.key\r\n}}", "abcd")]
    [InlineData("{{ raw .Secrets.plain }}{{ base64 .Secrets.key.Private }}", "textq80=")]
    [InlineData("{{ hex .MarbleRun.RootCA.Cert }}{{ hex .MarbleRun.CoordinatorRoot.Cert }}{{ hex .MarbleRun.CoordinatorIntermediate.Cert }}", "010203")]
    [InlineData("{{ hex .MarbleRun.MarbleCert.Cert }}{{ hex .MarbleRun.MarbleCert.Public }}{{ hex .MarbleRun.MarbleCert.Private }}", "040506")]
    [InlineData("{{ hex .Secrets.cert }}{{ hex .Secrets.cert.Cert }}{{ hex .Secrets.cert.Public }}{{ hex .Secrets.cert.Private }}", "08070809")]
    [InlineData("{{ pem .Secrets.cert.Cert }}", "-----BEGIN CERTIFICATE-----\nBw==\n-----END CERTIFICATE-----\n")]
    [InlineData("{{ pem .Secrets.cert.Public }}", "-----BEGIN PUBLIC KEY-----\nCA==\n-----END PUBLIC KEY-----\n")]
    [InlineData("{{ pem .Secrets.cert.Private }}", "-----BEGIN PRIVATE KEY-----\nCQ==\n-----END PRIVATE KEY-----\n")]
    public void DataIsWritten(string template, string expected) => Assert.Equal(expected, Render(template));

    [Fact]
    public void AVariableHasItsOwnFunctions()
    {
        Assert.Equal("text", Render("{{ string .Secrets.plain }}", TemplateKind.Env));
        Assert.Equal(ProtocolError.TemplateUnknown, Refusal("{{ raw .Secrets.plain }}", TemplateKind.Env));
        Assert.Equal(ProtocolError.TemplateUnknown, Refusal("{{ string .Secrets.plain }}"));
        Assert.Equal(ProtocolError.TemplateWrongType, Refusal("{{ string .Secrets.key }}", TemplateKind.Env));
        Assert.Equal(ProtocolError.TemplateWrongType, Refusal("{{ string .Secrets.nul }}", TemplateKind.Env));
    }

    [Theory]
    [InlineData("{{", ProtocolError.TemplateSyntax)]
    [InlineData("{{ }}", ProtocolError.TemplateSyntax)]
    [InlineData("{{ hex .Secrets..key }}", ProtocolError.TemplateSyntax)]
    [InlineData("{{ hex .Secrets.a-b }}", ProtocolError.TemplateSyntax)]
    [InlineData("{{ hex Secrets.key }}", ProtocolError.TemplateUnknown)]
    [InlineData("{{ foo .Secrets.key }}", ProtocolError.TemplateUnknown)]
    [InlineData("{{ json .Secrets.key }}", ProtocolError.TemplateUnknown)]
    [InlineData("{{ hex .Marblerun.RootCA.Cert }}", ProtocolError.TemplateUnknown)]
    [InlineData("{{ template \"x\" }}", ProtocolError.TemplateUnknown)]
    [InlineData("{{ hex }}", ProtocolError.TemplateWrongType)]
    [InlineData("{{ hex .Secrets.key .Secrets.key }}", ProtocolError.TemplateWrongType)]
    [InlineData("{{ hex \"text\" }}", ProtocolError.TemplateWrongType)]
    [InlineData("{{ hex .Secrets }}", ProtocolError.TemplateWrongType)]
    [InlineData("{{ hex .Secrets.key.Size }}", ProtocolError.TemplateWrongType)]
    [InlineData("{{ pem .Secrets.key }}", ProtocolError.TemplateWrongType)]
    [InlineData("{{ hex .MarbleRun.RootCA }}", ProtocolError.TemplateMissingData)]
    [InlineData("{{ hex .MarbleRun.RootCA.Private }}", ProtocolError.TemplateMissingData)]
    [InlineData("{{ hex .Secrets.nope }}", ProtocolError.TemplateMissingData)]
    [InlineData("{{ hex .Secrets.half.Private }}", ProtocolError.TemplateMissingData)]
    [InlineData("{{ hex .Secrets.key.Cert }}", ProtocolError.TemplateMissingData)]
    [InlineData("{{ raw .Secrets.empty }}", ProtocolError.TemplateMissingData)]
    [InlineData("{{ hex .Secrets.unset }}", ProtocolError.TemplateSecretUnset)]
    public void WhatCannotBeWrittenIsRefusedByItsNumber(string template, ProtocolError expected) => Assert.Equal(expected, Refusal(template));

    [Fact]
    public void ARefusalNamesItsLineAndNeverASecret()
    {
        ProtocolException error = Assert.Throws<ProtocolException>(() => Render("a\nb {{ hex .Secrets.key }}\n{{ pem .Secrets.key }}"));
        Assert.Contains("data:3", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("abcd", error.Message, StringComparison.OrdinalIgnoreCase);
        ProtocolException unset = Assert.Throws<ProtocolException>(() => Render("{{ hex .Secrets.unset }}"));
        Assert.Equal("unset", unset.Field);
    }

    [Fact]
    public void TheReadmesExample()
    {
        byte[] key = [0xAB, 0xCD];
        Template template = Template.Parse("user=app\n{{ with .Secrets.db }}key={{ hex . }}{{ else }}key=none{{ end }}"u8, TemplateKind.File);
        var secrets = new TemplateSecrets([KeyValuePair.Create("db", new TemplateSecret("symmetric-key", () => new TemplateSecretValue(default, key, key)))]);
        byte[] file = template.Render(new TemplateData { Secrets = secrets });
        Assert.Equal("user=app\nkey=abcd", Encoding.UTF8.GetString(file));
        Assert.Equal(["db"], template.SecretsNamed.Names.ToArray());
    }

    [Fact]
    public void BoundsHold()
    {
        Assert.Equal(ProtocolError.TemplateTooLarge, Refusal(new string('x', Template.MaxBytes + 1)));
        TemplateData large = s_data with { Secrets = new TemplateSecrets([KeyValuePair.Create("key", TemplateSecret.OfKey("plain", new byte[1 << 20]))]) };
        Template nine = Template.Parse(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{{ raw .Secrets.key }}", 9))), TemplateKind.File);
        Assert.Equal(ProtocolError.TemplateTooLarge, Assert.Throws<ProtocolException>(() => nine.Render(large)).Error);
    }
}
