using System.Formats.Asn1;
using System.Text;

namespace Cloister.Protocol.Certificates;

/// <summary>What writing a certificate's parts has in common.</summary>
internal static class CertificateDer
{
    /// <summary>A refusal in Go's words, so that MarbleRun's users read what they know.</summary>
    public static ProtocolException Wrong(string message) => new(ProtocolError.CertificateTemplateWrong, "", message);

    /// <summary>Writes an object identifier (X.660: the first arc is 0 to 2, under 0 and 1 the second is below 40).</summary>
    public static void WriteId(AsnWriter der, string dotted)
    {
        if (!IsId(dotted)) throw Wrong("asn1: structure error: invalid object identifier");
        der.WriteObjectIdentifier(dotted);
    }

    public static bool IsId(string dotted)
    {
        string[] arcs = dotted.Split('.');
        if (arcs.Length < 2 || arcs.Any(arc => arc.Length is 0 or > MaxArcDigits || !arc.All(char.IsAsciiDigit) || (arc.Length > 1 && arc[0] == '0'))) return false;
        return arcs[0] == "2" || (arcs[0] is "0" or "1" && (arcs[1].Length == 1 || (arcs[1].Length == 2 && arcs[1][0] < '4')));
    }

    /// <summary>Writes a GeneralName (RFC 5280, 4.2.1.6) whose content is text, under its context tag.</summary>
    public static void WriteName(AsnWriter der, int tag, string text) => der.WriteOctetString(Encoding.UTF8.GetBytes(text), Context(tag));

    /// <summary>As <see cref="WriteName"/>, for what has to be an IA5String.</summary>
    public static void WriteAscii(AsnWriter der, int tag, string text)
    {
        if (!Ascii.IsValid(text)) throw Wrong($"x509: \"{text}\" cannot be encoded as an IA5String");
        WriteName(der, tag, text);
    }

    public static Asn1Tag Context(int tag) => new(TagClass.ContextSpecific, tag);

    // 128 bits, as in UUIDs; longer arcs would only cost time.
    private const int MaxArcDigits = 39;
}
