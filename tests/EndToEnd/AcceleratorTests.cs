using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.EndToEnd;

/// <summary>The verb that runs an accelerator; what one does is tested beside the library.</summary>
public sealed class AcceleratorTests
{
    [Fact]
    public async Task It_says_where_it_listens_and_takes_the_place_of_one_that_was_killed()
    {
        using var folder = new TemporaryFolder();
        string address = "unix:" + folder["a.sock"];
        for (int time = 0; time < 2; time++)
        {
            using Process accelerator = CloisterCommand.Start("accelerator", "run", "--listen", address, "--threads", "1", "--json");
            Assert.Equal(address, (string?)(await CloisterCommand.WaitForAsync(accelerator, "listening"))["address"]);
            Assert.True(File.Exists(folder["a.sock"]));
            accelerator.Kill();
            await accelerator.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task By_TLS_it_says_by_which_key_workloads_know_it()
    {
        using var folder = new TemporaryFolder();
        Ended made = await CloisterCommand.RunAsync("user", "keygen", "--name", "gpu", "--out", folder[""]);
        Assert.Equal(0, made.Code);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(folder["gpu.crt"]);
        using Process accelerator = CloisterCommand.Start("accelerator", "run", "--listen", "tls:127.0.0.1:0", "--certificate", folder["gpu.crt"], "--private-key", folder["gpu.key"], "--json");
        string address = (string)(await CloisterCommand.WaitForAsync(accelerator, "listening"))["address"]!;
        accelerator.Kill();
        Assert.StartsWith("tls:127.0.0.1:", address, StringComparison.Ordinal);
        Assert.EndsWith("#sha256:" + Convert.ToHexStringLower(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo())), address, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_without_TLS_and_TLS_without_a_known_key_are_usage_errors()
    {
        Ended plain = await CloisterCommand.RunAsync("accelerator", "run", "--listen", "tcp:127.0.0.1:0", "--certificate", "a", "--private-key", "b");
        Assert.Equal(2, plain.Code);
        Assert.Contains("tls:host:port", plain.Error, StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        Ended anybody = await CloisterCommand.RunAsync("serve", "--type", "inference", "--store", folder[""], "--accelerator", "tls:10.0.0.7:7700");
        Assert.Equal(2, anybody.Code);
        Assert.Contains("#sha256:", anybody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_address_is_a_usage_error()
    {
        Ended ended = await CloisterCommand.RunAsync("accelerator", "run", "--listen", "nowhere");
        Assert.Equal(2, ended.Code);
        Assert.Contains("unix:/path", ended.Error, StringComparison.Ordinal);
    }
}
