using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Serving.Callers.Certificates;

/// <summary>Names in a client's certificate: its one common name, and its alternative names (RFC 5280, 4.2.1.6).</summary>
internal sealed record SubjectNames(string? CommonName, IReadOnlyList<string> Dns, IReadOnlyList<string> Uris, IReadOnlyList<string> Emails)
{
    private const string CommonNameOid = "2.5.4.3", AlternativeNameOid = "2.5.29.17";
    private const int MostNames = 256;
    private static readonly Asn1Tag s_email = new(TagClass.ContextSpecific, 1), s_dns = new(TagClass.ContextSpecific, 2), s_uri = new(TagClass.ContextSpecific, 6);

    /// <summary>Reads them; null where the certificate's names cannot be read.</summary>
    public static SubjectNames? Of(X509Certificate2 certificate)
    {
        try
        {
            List<string> dns = [], uris = [], emails = [];
            X509Extension[] alternative = [.. certificate.Extensions.Where(extension => extension.Oid?.Value == AlternativeNameOid)];
            if (alternative.Length > 1) return null;
            if (alternative.Length == 1) Read(alternative[0].RawData, dns, uris, emails);
            return new SubjectNames(Common(certificate), dns, uris, emails);
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    // Which of two common names counts would be anybody's guess.
    private static string? Common(X509Certificate2 certificate)
    {
        string? name = null;
        foreach (X500RelativeDistinguishedName part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements || part.GetSingleElementType().Value != CommonNameOid) continue;
            if (name is not null) return null;
            name = part.GetSingleElementValue();
        }
        return name;
    }

    private static void Read(byte[] extension, List<string> dns, List<string> uris, List<string> emails)
    {
        var reader = new AsnReader(extension, AsnEncodingRules.DER);
        AsnReader names = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        for (int count = 0; names.HasData; count++)
        {
            if (count == MostNames) throw new AsnContentException();
            Asn1Tag tag = names.PeekTag();
            if (tag == s_email) emails.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            else if (tag == s_dns) dns.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            else if (tag == s_uri) uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            else names.ReadEncodedValue();
        }
    }

    /// <summary>Fuzz target: any bytes of an extension are names, or refused.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            Read(data.ToArray(), [], [], []);
        }
        catch (AsnContentException)
        {
            // The documented refusal.
            return;
        }
    }
}
