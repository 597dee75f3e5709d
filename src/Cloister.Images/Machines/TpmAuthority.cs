using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.Images.Machines;

/// <summary>
/// The certification authority of this user's machines' TPMs: a key and its own certificate, made once, kept under the state folder. It says
/// "this TPM is one that this operator started", no more; whoever can read its key can say so of anything.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class TpmAuthority
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int KeyBits = 3072, Years = 20;

    /// <summary>The root certificate's name, in the authority's folder and in that of each TPM.</summary>
    internal const string RootName = "root.pem";

    /// <summary>The certificate of a TPM's endorsement key, DER, in that TPM's folder, as swtpm_setup names it: what secrets are sealed to.</summary>
    internal const string CertificateName = "ek-rsa2048.crt";

    private TpmAuthority(string folder) => Folder = folder;

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>The file of the certificate that all chains lead to, PEM.</summary>
    public string Root => Path.Combine(Folder, RootName);

    /// <summary>The authority in <paramref name="folder"/>; made if there is none, by one process alone however many start at once.</summary>
    /// <exception cref="ImageException">The folder cannot be written, or holds something else.</exception>
    public static async Task<TpmAuthority> OpenAsync(string folder, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(time);
        var authority = new TpmAuthority(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(authority.Folder)!, Private);
            using FileStream held = await authority.TakeAsync(cancellation);
            if (!File.Exists(authority.Root))
                authority.Make(time.GetUtcNow());
            return authority;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.TpmSetupFailed, $"The authority of TPMs cannot be kept in '{authority.Folder}': {refused.Message}", refused);
        }
    }

    /// <summary>The place of this user's own authority.</summary>
    public static string DefaultFolder() => Path.Combine(MachineFolder.StateFolder(), "tpm-authority");

    /// <summary>Makes a TPM with certificates of this authority in <paramref name="tpm"/>, the root certificate beside its state; whole or not at all.</summary>
    internal async Task MakeTpmAsync(HostTools tools, string tpm, CancellationToken cancellation)
    {
        string unfinished = tpm + ".new";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished, Private);
        using (await TakeAsync(cancellation)) // serial numbers are counted in a file
        {
            await File.WriteAllTextAsync(Path.Combine(Folder, "setup.conf"),
                $"create_certs_tool = {tools.SwtpmLocalCa}\ncreate_certs_tool_config = {Folder}/authority.conf\ncreate_certs_tool_options = {Folder}/options\nactive_pcr_banks = sha256\n", cancellation);
            (int code, string words) = await ChildProcess.RunAsync(tools, Folder, tools.SwtpmSetup,
                ["--tpm2", "--tpmstate", unfinished, "--create-ek-cert", "--write-ek-cert-files", unfinished, "--lock-nvram", "--config", Path.Combine(Folder, "setup.conf"), "--tpm", tools.Swtpm + " socket"], cancellation);
            if (code != 0)
                throw new ImageException(ImageError.TpmSetupFailed, $"swtpm_setup ended with exit code {code}: {words}");
        }
        File.Copy(Root, Path.Combine(unfinished, RootName));
        Directory.Move(unfinished, tpm);
    }

    private async Task<FileStream> TakeAsync(CancellationToken cancellation)
    {
        string held = Folder + ".lock";
        while (true)
        {
            try
            {
                return new FileStream(held, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(held))
            {
                await Task.Delay(50, cancellation); // another process makes a TPM, in about a second
            }
        }
    }

    private void Make(DateTimeOffset now)
    {
        string unfinished = Folder + ".new";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true); // of a process that was killed
        if (Directory.Exists(Folder) && Directory.EnumerateFileSystemEntries(Folder).Any())
            throw new ImageException(ImageError.TpmSetupFailed, $"'{Folder}' holds something else than an authority of TPMs: it has no {RootName}. Name another folder.");
        Directory.CreateDirectory(unfinished, Private);
        Write(unfinished, now);
        if (Directory.Exists(Folder))
            Directory.Delete(Folder);
        Directory.Move(unfinished, Folder);
    }

    private void Write(string at, DateTimeOffset now)
    {
        using RSA key = RSA.Create(KeyBits);
        var request = new CertificateRequest($"CN=Cloister TPM authority {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using X509Certificate2 root = request.CreateSelfSigned(now.AddMinutes(-5), now.AddYears(Years));
        WriteKey(at, key);
        Write(at, "options", "--platform-manufacturer Cloister\n--platform-version 1\n--platform-model QEMU\n"u8);
        Write(at, "authority.conf", Encoding.UTF8.GetBytes($"statedir = {Folder}\nsigningkey = {Folder}/key.pem\nissuercert = {Folder}/{RootName}\ncertserial = {Folder}/serial\n"));
        Write(at, RootName, Encoding.UTF8.GetBytes(root.ExportCertificatePem() + "\n"));
    }

    private static void WriteKey(string at, RSA key)
    {
        byte[] bytes = key.ExportPkcs8PrivateKey();
        char[] text = PemEncoding.Write("PRIVATE KEY", bytes);
        byte[] encoded = Encoding.ASCII.GetBytes(text);
        Write(at, "key.pem", encoded);
        CryptographicOperations.ZeroMemory(bytes);
        CryptographicOperations.ZeroMemory(encoded);
        text.AsSpan().Clear();
    }

    private static void Write(string folder, string name, ReadOnlySpan<byte> text)
    {
        using var file = new FileStream(Path.Combine(folder, name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(text);
        file.Flush(flushToDisk: true);
    }
}
