using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>The file of a sealed secret, and sealing from afar, without a TPM.</summary>
public sealed class TpmSealedSecretTests
{
    private static readonly TpmSealedSecret Fixed = new(
        true, ImmutableSortedDictionary.CreateRange<int, ReadOnlyMemory<byte>>([new(4, Counting(1, 32)), new(11, Counting(2, 32))]),
        Counting(3, 34), Counting(4, 32), Counting(5, 120), Counting(6, 68), Counting(7, 80));

    [Fact]
    public void The_layout_is_frozen() => Assert.Equal("bc5b3d05847f005dbbc490589aa782fba0dc04861a9b5526a5e8b07595b38b95", Convert.ToHexStringLower(SHA256.HashData(Fixed.Encode())));

    [Fact]
    public void The_public_area_is_as_documented()
    {
        string policy = Convert.ToHexStringLower(Fixed.PolicyDigest());
        Assert.Equal($"0008000b00000400{"0020"}{policy}0010{"0020"}{Convert.ToHexStringLower(Counting(4, 32))}", Convert.ToHexStringLower(Fixed.PublicArea()));
        Assert.StartsWith("0008000b00000412", Convert.ToHexStringLower((Fixed with { IsImport = false }).PublicArea()), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_cut_and_every_addition_is_refused()
    {
        byte[] whole = Fixed.Encode();
        for (int i = 0; i < whole.Length; i++)
            Assert.Equal(PlatformError.TpmSealedInvalid, Assert.Throws<PlatformException>(() => TpmSealedSecret.Parse(whole.AsMemory(0, i))).Error);
        Assert.Throws<PlatformException>(() => TpmSealedSecret.Parse((byte[])[.. whole, 0]));
    }

    [Theory]
    [InlineData(0)] // magic
    [InlineData(17)] // version
    [InlineData(19)] // form
    [InlineData(24)] // a PCR above 23
    public void What_is_not_of_the_format_is_refused(int at)
    {
        byte[] changed = Fixed.Encode();
        changed[at] ^= 0xF0;
        Assert.Equal(PlatformError.TpmSealedInvalid, Assert.Throws<PlatformException>(() => TpmSealedSecret.Parse(changed)).Error);
    }

    [Fact]
    public void Mutations_are_read_or_refused()
    {
        var random = new Random(11);
        for (int i = 0; i < 4000; i++)
        {
            byte[] changed = Fixed.Encode();
            for (int flips = random.Next(1, 5); flips > 0; flips--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            TpmSealedSecret.Fuzz(random.Next(5) == 0 ? changed.AsSpan(0, random.Next(changed.Length)) : changed);
        }
    }

    [Fact]
    public void A_key_that_keeps_nothing_is_refused()
    {
        var pcrs = Fixed.Pcrs;
        TpmPublic signer = TpmLayout.ParsePublic(WithPoint(TpmTemplates.AttestationKey)).Value, storage = TpmLayout.ParsePublic(StorageKey()).Value;
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(signer, pcrs, "secret"u8));
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(storage, pcrs, default));
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(storage, pcrs, new byte[TpmSealedSecret.MaximumSecret + 1]));
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(storage, pcrs.Clear(), "secret"u8));
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(storage, pcrs.SetItem(24, new byte[32]), "secret"u8));
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(storage, pcrs.SetItem(5, new byte[20]), "secret"u8));
    }

    [Fact]
    public void An_image_s_measurements_are_the_policy()
    {
        string zero = new('0', 64);
        var pcrs = BootPrediction.Pcrs.ToImmutableSortedDictionary(pcr => pcr, _ => zero);
        var image = new ImageMeasurements
        {
            Name = "hello", Product = 1, Version = 2, Debug = false, Uki = zero, RootHash = zero,
            Pcrs = ImmutableSortedDictionary.CreateRange<BootPath, ImmutableSortedDictionary<int, string>>([new(BootPath.Kernel, pcrs)]),
        };
        TpmPublic storage = TpmLayout.ParsePublic(StorageKey()).Value;
        byte[] file = TpmSealedSecret.SealFor(storage, image, BootPath.Kernel, "secret"u8).Encode();
        var read = TpmSealedSecret.Parse(file);
        Assert.Equal(BootPrediction.Pcrs, read.Pcrs.Keys);
        Assert.Equal(storage.Name.ToArray(), read.Parent.ToArray());
        Assert.DoesNotContain("secret", System.Text.Encoding.Latin1.GetString(file), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => TpmSealedSecret.SealFor(storage, image, BootPath.Disk, "secret"u8));
    }

    private static byte[] StorageKey() => WithPoint(TpmTemplates.StorageKey);

    /// <summary>A template with a real point in place of its own.</summary>
    private static byte[] WithPoint(byte[] template)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECPoint point = key.ExportParameters(false).Q;
        int unique = template.Length - (template[^1] == 0 && template.Length > 60 ? 68 : 4);
        return [.. template[..unique], 0, 32, .. point.X!, 0, 32, .. point.Y!];
    }

    private static byte[] Counting(int seed, int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(seed * 16 + i))];
}
