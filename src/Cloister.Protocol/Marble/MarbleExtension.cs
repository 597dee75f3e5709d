using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.Protocol.Marble;

/// <summary>The certificate extension that names a marble's type: MarbleRun's, whose value is the raw UTF-8 type, without DER around it.</summary>
public static class MarbleExtension
{
    /// <summary>Its object identifier.</summary>
    public const string ObjectIdentifier = "1.3.9903.2.1";

    /// <summary>Longest type that is read.</summary>
    public const int MaxBytes = 256;

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The extension for a marble type. Not critical.</summary>
    /// <exception cref="ArgumentException">The type is empty or longer than <see cref="MaxBytes"/>.</exception>
    public static X509Extension Create(string marbleType)
    {
        ArgumentException.ThrowIfNullOrEmpty(marbleType);
        byte[] raw = s_strictUtf8.GetBytes(marbleType);
        if (raw.Length > MaxBytes) throw new ArgumentException($"A marble type has at most {MaxBytes} bytes.", nameof(marbleType));
        return new X509Extension(new Oid(ObjectIdentifier), raw, critical: false);
    }

    /// <summary>The marble type that a certificate names, or null where it names none, more than one, or one that is not UTF-8.</summary>
    public static string? Read(X509Certificate2 certificate)
    {
        string? found = null;
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != ObjectIdentifier) continue;
            if (found is not null || extension.RawData.Length is 0 or > MaxBytes) return null;
            try
            {
                found = s_strictUtf8.GetString(extension.RawData);
            }
            catch (DecoderFallbackException)
            {
                return null;
            }
        }
        return found;
    }
}
