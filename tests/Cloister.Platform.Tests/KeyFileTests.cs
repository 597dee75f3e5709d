using System.Text;
using Cloister.Platform;
using Cloister.Platform.Simulation;

namespace Cloister.Tests;

public sealed class KeyFileTests : IDisposable
{
    private static readonly byte[] Secret = Encoding.UTF8.GetBytes("the data key");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_secret_comes_back()
    {
        byte[] wrapped = await Seal();
        Assert.Equal(Secret, await new HostKeySealer(Keys).UnsealAsync(wrapped, "state"u8.ToArray(), default));
        Assert.Equal("host-key", new HostKeySealer(Keys).Kind);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Keys));
        Assert.Equal([KeyPath], Directory.EnumerateFileSystemEntries(Keys));
    }

    [Fact]
    public async Task A_changed_secret_other_data_or_another_key_is_refused()
    {
        byte[] wrapped = await Seal();
        for (int i = 0; i < wrapped.Length; i++)
        {
            byte[] changed = [.. wrapped];
            changed[i] ^= 1;
            await Refused(changed, "state"u8.ToArray());
        }
        await Refused(wrapped[..^1], "state"u8.ToArray());
        await Refused([], "state"u8.ToArray());
        await Refused(wrapped, "other"u8.ToArray());
        File.Delete(KeyPath);
        await Refused(wrapped, "state"u8.ToArray());
        Assert.False(File.Exists(KeyPath)); // unsealing makes no key
        await Seal();
        await Refused(wrapped, "state"u8.ToArray());
    }

    [Fact]
    public async Task Many_first_uses_at_once_agree_on_one_key()
    {
        byte[][] all = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(Seal)));
        foreach (byte[] wrapped in all)
            Assert.Equal(Secret, await new HostKeySealer(Keys).UnsealAsync(wrapped, "state"u8.ToArray(), default));
        Assert.Equal([KeyPath], Directory.EnumerateFileSystemEntries(Keys));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task A_key_that_others_may_read_is_refused(UnixFileMode more)
    {
        await Seal();
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | more);
        var refused = await Assert.ThrowsAsync<PlatformException>(Seal);
        Assert.Equal(PlatformError.KeyFileExposed, refused.Error);
        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_in_a_folder_that_others_may_write_is_refused()
    {
        await Seal();
        File.SetUnixFileMode(Keys, File.GetUnixFileMode(Keys) | UnixFileMode.GroupWrite);
        Assert.Equal(PlatformError.KeyFileExposed, (await Assert.ThrowsAsync<PlatformException>(Seal)).Error);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(100_000)]
    public async Task What_is_not_a_key_is_refused(int size)
    {
        await Seal();
        await File.WriteAllBytesAsync(KeyPath, new byte[size]);
        Assert.Equal(PlatformError.KeyFileInvalid, (await Assert.ThrowsAsync<PlatformException>(Seal)).Error);
    }

    [Fact]
    public void A_host_key_is_made_once_and_read_again()
    {
        using SimulatorHostKey first = SimulatorHostKey.LoadOrCreate(Keys), second = SimulatorHostKey.LoadOrCreate(Keys);
        Assert.Equal(first.Base64, second.Base64);
        Assert.Equal(first.Base64 + "\n", File.ReadAllText(Path.Combine(Keys, SimulatorHostKey.PublicFileName)));
        File.Delete(Path.Combine(Keys, SimulatorHostKey.PublicFileName));
        SimulatorHostKey.LoadOrCreate(Keys).Dispose();
        Assert.True(File.Exists(Path.Combine(Keys, SimulatorHostKey.PublicFileName)));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [InlineData("P-384")]
    [InlineData("RSA")]
    [InlineData("secp256k1")]
    public void A_file_that_is_no_host_key_is_refused(string content)
    {
        SimulatorHostKey.LoadOrCreate(Keys).Dispose();
        using var p384 = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        using var k1 = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.CreateFromValue("1.3.132.0.10"));
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        string text = content switch { "P-384" => p384.ExportPkcs8PrivateKeyPem(), "RSA" => rsa.ExportPkcs8PrivateKeyPem(), "secp256k1" => k1.ExportPkcs8PrivateKeyPem(), _ => content };
        File.WriteAllText(Path.Combine(Keys, SimulatorHostKey.FileName), text);
        Assert.Equal(PlatformError.KeyFileInvalid, Assert.Throws<PlatformException>(() => SimulatorHostKey.LoadOrCreate(Keys)).Error);
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_named()
    {
        _folder.Write("file", "");
        Assert.Equal(PlatformError.KeyFileUnusable, Assert.Throws<PlatformException>(() => SimulatorHostKey.LoadOrCreate(_folder["file/key"])).Error);
        Assert.Equal(PlatformError.KeyFileUnusable, Assert.Throws<PlatformException>(() => PlatformProbe.CreateSealer(new PlatformOptions())).Error);
    }

    private string Keys => _folder["keys"];

    private string KeyPath => Path.Combine(Keys, HostKeySealer.FileName);

    private async Task<byte[]> Seal() => await new HostKeySealer(Keys).SealAsync(Secret, "state"u8.ToArray(), default);

    private async Task Refused(byte[] wrapped, byte[] associatedData)
    {
        var refused = await Assert.ThrowsAsync<PlatformException>(async () => await new HostKeySealer(Keys).UnsealAsync(wrapped, associatedData, default));
        Assert.Equal(PlatformError.UnsealRefused, refused.Error);
    }
}
