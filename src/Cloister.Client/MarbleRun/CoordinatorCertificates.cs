using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.Client.MarbleRun;

/// <summary>A coordinator's certificates as PEM: the intermediate, then the root. MarbleRun's CLI keeps them in such a file once it has verified them.</summary>
public static class CoordinatorCertificates
{
    /// <summary>Largest text in characters.</summary>
    public const int MaxLength = 256 << 10;

    /// <summary>Reads both.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>: the text is not two certificates, or the second did not sign the first.</exception>
    public static (byte[] Intermediate, byte[] Root) Read(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (pem.Length > MaxLength)
            throw Malformed($"the text has {pem.Length} characters; at most {MaxLength} are read");
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
            if (certificates.Count != 2)
                throw Malformed($"intermediate and root were expected, {certificates.Count} certificates are there");
            if (!Signed(certificates[0], certificates[1]))
                throw Malformed("the second certificate is not the first one's root");
            return (certificates[0].RawData, certificates[1].RawData);
        }
        catch (CryptographicException error)
        {
            throw Malformed(error.Message, error);
        }
        finally
        {
            foreach (X509Certificate2 certificate in certificates)
                certificate.Dispose();
        }
    }

    /// <summary>Writes both.</summary>
    public static byte[] ToPem(ReadOnlyMemory<byte> intermediate, ReadOnlyMemory<byte> root) => [.. ToPem(intermediate), .. ToPem(root)];

    /// <summary>Writes one, with a line end.</summary>
    public static byte[] ToPem(ReadOnlyMemory<byte> certificate) => Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE", certificate.Span) + "\n");

    /// <summary>The key of a certificate: SubjectPublicKeyInfo, DER.</summary>
    public static ReadOnlyMemory<byte> KeyOf(ReadOnlyMemory<byte> certificate)
    {
        using X509Certificate2 read = X509CertificateLoader.LoadCertificate(certificate.Span);
        return read.PublicKey.ExportSubjectPublicKeyInfo();
    }

    /// <summary>Whether a root signed a certificate; dates are not looked at, since the root is known by its key.</summary>
    private static bool Signed(X509Certificate2 certificate, X509Certificate2 root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        bool built = chain.Build(certificate) && chain.ChainElements.Count == 2;
        foreach (X509ChainElement element in chain.ChainElements)
            element.Certificate.Dispose();
        return built;
    }

    private static ClientException Malformed(string why, Exception? inner = null) => new(ClientError.AnswerMalformed, $"These are not a coordinator's certificates: {why}.", inner);

    /// <summary>Fuzz target: any text is two certificates, or refused with a <see cref="ClientException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ = Read(Encoding.UTF8.GetString(bytes));
        }
        catch (ClientException refused) when (refused.Error == ClientError.AnswerMalformed)
        {
            // The documented refusal.
            return;
        }
    }
}
