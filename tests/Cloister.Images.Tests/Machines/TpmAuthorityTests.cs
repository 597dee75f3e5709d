using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Images;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

public sealed class TpmAuthorityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task However_many_start_at_once_there_is_one_authority()
    {
        TpmAuthority[] all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => TpmAuthority.OpenAsync(_folder["authority"], TimeProvider.System, default))));
        string root = File.ReadAllText(all[0].Root);
        Assert.All(all, one => Assert.Equal(root, File.ReadAllText(one.Root)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["authority/key.pem"]));
        Assert.Equal(root, File.ReadAllText((await TpmAuthority.OpenAsync(_folder["authority"] + "/", TimeProvider.System, default)).Root));
    }

    [Fact]
    public async Task What_a_killed_process_left_is_begun_anew_and_what_is_somebody_elses_is_kept()
    {
        _folder.Write("authority.new/key.pem", "half a ");
        TpmAuthority authority = await TpmAuthority.OpenAsync(_folder["authority"], TimeProvider.System, default);
        Assert.False(Directory.Exists(_folder["authority.new"]));
        using X509Certificate2 root = X509CertificateLoader.LoadCertificateFromFile(authority.Root);
        Assert.Contains("TPM authority", root.Subject, StringComparison.Ordinal);
        _folder.Write("letters/mother.txt", "dear");
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => TpmAuthority.OpenAsync(_folder["letters"], TimeProvider.System, default));
        Assert.Equal(ImageError.TpmSetupFailed, refused.Error);
        Assert.Equal("dear", File.ReadAllText(_folder["letters/mother.txt"]));
    }

    [SupervisedFact]
    public async Task A_TPMs_certificate_leads_to_its_authority_and_to_no_other()
    {
        HostTools tools = HostTools.Find();
        TpmAuthority authority = await TpmAuthority.OpenAsync(_folder["an authority"], TimeProvider.System, default), other = await TpmAuthority.OpenAsync(_folder["other"], TimeProvider.System, default);
        _folder.Write("tpm.new/tpm2-00.permall", "half of one");
        await authority.MakeTpmAsync(tools, _folder["tpm"], default);
        Assert.False(Directory.Exists(_folder["tpm.new"]));
        Assert.Equal(File.ReadAllText(authority.Root), File.ReadAllText(_folder["tpm/root.pem"]));
        (int code, string words) = await ChildProcess.RunAsync(tools, _folder.Path, tools.SwtpmSetup,
            ["--tpm2", "--tpmstate", Directory.CreateDirectory(_folder["second"]).FullName, "--create-ek-cert", "--config", _folder["an authority/setup.conf"], "--write-ek-cert-files", _folder.Path], default);
        Assert.True(code == 0, words);
        byte[] certificate = File.ReadAllBytes(_folder["ek-rsa2048.crt"]);
        Assert.True(Endorsed(certificate, authority).IsAccepted, Endorsed(certificate, authority).ToString());
        Assert.False(Endorsed(certificate, other).IsAccepted);
    }

    private static Outcome<TpmPublic> Endorsed(byte[] certificate, TpmAuthority authority)
    {
        using X509Certificate2 root = X509CertificateLoader.LoadCertificateFromFile(authority.Root);
        return TpmEndorsementKey.Of(certificate, [], new Anchors([new Anchor(TeeKind.Tpm, "authority", root.RawData)]), VerificationTime.At(TimeProvider.System.GetUtcNow()));
    }
}
