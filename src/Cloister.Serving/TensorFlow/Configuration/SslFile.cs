using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Serving.TextFormat;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>
/// What an <c>ssl_config_file</c> says of clients. The server's certificate is the activation's, the one thing that a client can
/// check evidence against; a key that an operator keeps in a file would be somebody else's word, so the file's is not used.
/// </summary>
/// <param name="ClientAuthorities">Those one of which must have issued every client's certificate; null where none is demanded.</param>
/// <param name="Notes">What the file asks for and has no meaning here, a sentence each.</param>
internal sealed record SslFile(X509Certificate2Collection? ClientAuthorities, IReadOnlyList<string> Notes)
{
    /// <summary>Reads the file (tensorflow/serving, config/ssl_config.proto, <c>SSLConfig</c>).</summary>
    /// <exception cref="ServingException">As <see cref="Parse"/>, or <see cref="ServingError.SettingsUnreadable"/>.</exception>
    public static async Task<SslFile> ReadAsync(string path, CancellationToken cancellation)
    {
        byte[] bytes = await SettingsFile.ReadAsync(path, cancellation);
        try
        {
            return Parse(bytes, Path.GetFileName(path));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Reads the document.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/> or <see cref="ServingError.SettingsRefused"/>: the text says where and what.</exception>
    public static SslFile Parse(ReadOnlySpan<byte> bytes, string document)
    {
        var fields = new TextFields(TextParser.Parse(bytes, document), "SSLConfig");
        bool demanded = fields.Flag("client_verify") ?? false;
        string? authorities = fields.Text("custom_ca");
        bool own = fields.PassOver("server_key") | fields.PassOver("server_cert");
        fields.RefuseOthers();
        var notes = new List<string>();
        if (own) notes.Add($"{document}: server_key and server_cert are not used: the server's certificate comes with its activation, and clients verify it against the coordinator.");
        if (!demanded)
        {
            if (!string.IsNullOrEmpty(authorities)) notes.Add($"{fields.At("custom_ca")}: custom_ca is not used without client_verify.");
            return new SslFile(null, notes);
        }
        if (string.IsNullOrEmpty(authorities)) throw fields.Refused("client_verify", "client_verify needs custom_ca: name the authority whose certificates clients must have.");
        var collection = new X509Certificate2Collection();
        try
        {
            collection.ImportFromPem(authorities);
        }
        catch (CryptographicException damaged)
        {
            throw new ServingException(ServingError.SettingsRefused, $"{fields.At("custom_ca")}: custom_ca holds a certificate that cannot be read.", damaged);
        }
        if (collection.Count == 0) throw fields.Refused("custom_ca", "custom_ca holds no certificate in PEM; it is the certificate's text, not the name of a file.");
        if (!collection.Any(authority => authority.SubjectName.RawData.AsSpan().SequenceEqual(authority.IssuerName.RawData)))
            throw fields.Refused("custom_ca", "custom_ca holds no root certificate; add the one that the others lead to.");
        return new SslFile(collection, notes);
    }

    /// <summary>Fuzzing target: anything but the documented refusals is a fault.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Parse(bytes, "fuzz");
        }
        catch (ServingException refusal) when (refusal.Error is ServingError.SettingsMalformed or ServingError.SettingsRefused)
        {
            // The documented refusals.
        }
    }
}
