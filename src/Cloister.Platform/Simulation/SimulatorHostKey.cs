using System.Security.Cryptography;
using System.Text;

namespace Cloister.Platform.Simulation;

/// <summary>A simulator's signing key: P-256, in <see cref="FileName"/> (PKCS#8 PEM, 0600). Its public half goes into policies.</summary>
public sealed class SimulatorHostKey : IDisposable
{
    /// <summary>The private key's file.</summary>
    public const string FileName = "host-key.pem";

    /// <summary>The public key's file: base64 of its SubjectPublicKeyInfo, as policies name it.</summary>
    public const string PublicFileName = "host-key.spki";

    private const string PemLabel = "PRIVATE KEY";

    private SimulatorHostKey(ECDsa key)
    {
        Key = key;
        SubjectPublicKeyInfo = key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>The public key, DER.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    /// <summary>The public key as policies name it.</summary>
    public string Base64 => Convert.ToBase64String(SubjectPublicKeyInfo.Span);

    internal ECDsa Key { get; }

    /// <summary>Reads the key of a directory, or makes one.</summary>
    /// <exception cref="PlatformException">The key cannot be used, or others may read it.</exception>
    public static SimulatorHostKey LoadOrCreate(string folder)
    {
        string path = Path.Combine(Path.GetFullPath(folder), FileName);
        SimulatorHostKey key = Load(path) ?? Create(path);
        byte[] text = Encoding.ASCII.GetBytes(key.Base64 + "\n");
        string publicPath = Path.Combine(Path.GetFullPath(folder), PublicFileName);
        if (!File.Exists(publicPath) || !File.ReadAllBytes(publicPath).AsSpan().SequenceEqual(text))
            // It can be made again from the key at any time, so between the two steps there may be none.
            File.Delete(publicPath);
            PrivateFile.CreateOnce(publicPath, text);
        return key;
    }

    /// <inheritdoc/>
    public void Dispose() => Key.Dispose();

    private static SimulatorHostKey? Load(string path)
    {
        if (PrivateFile.ReadKey(path) is not { } pem) return null;
        char[] text = Encoding.ASCII.GetChars(pem);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.ExportParameters(false).Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value) throw new CryptographicException("It is not a P-256 key.");
            return new SimulatorHostKey(key);
        }
        catch (Exception invalid) when (invalid is ArgumentException or CryptographicException or PlatformNotSupportedException)
        {
            key.Dispose();
            throw new PlatformException(PlatformError.KeyFileInvalid, $"{path} is not a simulator's key. Delete it for a new one; policies then have to name the new one.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
            Array.Clear(text);
        }
    }

    private static SimulatorHostKey Create(string path)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] pkcs8 = key.ExportPkcs8PrivateKey();
        char[] pem = PemEncoding.Write(PemLabel, pkcs8);
        byte[] content = Encoding.ASCII.GetBytes(pem);
        try
        {
            if (PrivateFile.CreateOnce(path, content)) return new SimulatorHostKey(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
            CryptographicOperations.ZeroMemory(content);
            Array.Clear(pem);
        }
        key.Dispose();
        return Load(path) ?? throw new PlatformException(PlatformError.KeyFileUnusable, $"{path} vanished while it was being made.");
    }
}
