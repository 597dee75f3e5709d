using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Tests;

/// <summary>A token of SoftHSM in a folder of its own, with keys and certificates made for the test. One of a process: the module reads its configuration once.</summary>
public sealed partial class SoftToken : IDisposable
{
    public const string Label = "cloister-test", Pin = "4711";
    private const string ConfigurationVariable = "SOFTHSM2_CONF";
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-token-").FullName;

    public SoftToken()
    {
        if (!IsInstalled)
            return;
        Directory.CreateDirectory(Path.Combine(_folder, "tokens"));
        File.WriteAllText(ConfigurationFile, $"directories.tokendir = {Path.Combine(_folder, "tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n");
        // The module reads the C library's environment, which .NET's own copy does not reach.
        _ = SetEnvironment(ConfigurationVariable, ConfigurationFile, 1);
        // And the processes that a test starts have it from .NET's.
        Environment.SetEnvironmentVariable(ConfigurationVariable, ConfigurationFile);
        Run("softhsm2-util", "--init-token", "--free", "--label", Label, "--pin", Pin, "--so-pin", "0815");
        using var rsa = RSA.Create(2048);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        RsaKey = Import("rsa", "01", rsa, new CertificateRequest("CN=rsa", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        P256Key = Import("p256", "02", p256, new CertificateRequest("CN=p256", p256, HashAlgorithmName.SHA256));
        P384Key = Import("p384", "03", p384, new CertificateRequest("CN=p384", p384, HashAlgorithmName.SHA384));
    }

    /// <summary>SubjectPublicKeyInfo of the keys in it.</summary>
    public byte[] RsaKey { get; } = [];
    public byte[] P256Key { get; } = [];
    public byte[] P384Key { get; } = [];

    /// <summary>The certificates in it by their label, PEM.</summary>
    public Dictionary<string, string> Certificates { get; } = [];

    public string ConfigurationFile => Path.Combine(_folder, "softhsm2.conf");

    public static string? Module { get; } = new[] { "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib64/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so" }.FirstOrDefault(File.Exists);

    public static bool IsInstalled => Module is not null && OnPath("softhsm2-util") && OnPath("pkcs11-tool");

    /// <summary>The document that names it.</summary>
    public static string Configuration(string pin = Pin, string label = Label) => $$"""{ "Path": "{{Module}}", "TokenLabel": "{{label}}", "Pin": "{{pin}}" }""";

    private byte[] Import(string label, string id, AsymmetricAlgorithm key, CertificateRequest request)
    {
        string pem = Path.Combine(_folder, label + ".pem"), der = Path.Combine(_folder, label + ".crt");
        File.WriteAllText(pem, key.ExportPkcs8PrivateKeyPem());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        File.WriteAllBytes(der, certificate.RawData);
        Certificates[label] = certificate.ExportCertificatePem();
        Run("softhsm2-util", "--import", pem, "--token", Label, "--label", label, "--id", id, "--pin", Pin);
        Run("pkcs11-tool", "--module", Module!, "--token-label", Label, "--login", "--pin", Pin, "--write-object", der, "--type", "cert", "--id", id, "--label", label);
        return key.ExportSubjectPublicKeyInfo();
    }

    private void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment[ConfigurationVariable] = ConfigurationFile;
        using Process process = Process.Start(start)!;
        string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {said}");
    }

    private static bool OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

/// <summary>A fact that needs SoftHSM and OpenSC's pkcs11-tool, and is skipped where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TokenFactAttribute : FactAttribute
{
    public TokenFactAttribute()
    {
        if (!SoftToken.IsInstalled)
            Skip = "softhsm2 and opensc are absent (apt-get install softhsm2 opensc).";
    }
}

[CollectionDefinition(nameof(SoftToken))]
public sealed class SoftTokenCollection : ICollectionFixture<SoftToken>;
