using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation;

namespace Cloister.Tests;

public sealed class BindingTests
{
    private static readonly Binding Binding = Sample.Binding;

    [Fact]
    public void The_transcript_is_the_documented_hash()
    {
        byte[] expected = SHA512.HashData([.. Prefixed("cloister/workload/v1"u8), .. Prefixed(Sample.Nonce), .. Prefixed(Sample.PeerKey)]);
        Assert.Equal(expected, Binding.Transcript());
        Assert.Equal(SHA256.HashData([.. Prefixed("gpu"u8), .. Prefixed([3, 0, 0, 0]), .. Prefixed(expected)]), Binding.GpuNonce(3));
        Assert.Equal(SHA512.HashData([.. Prefixed("other"u8), .. Prefixed([1, 0, 0, 0]), .. Prefixed(expected), .. Prefixed(SHA512.HashData("x"u8))]), Binding.OtherReportData(1, "x"u8));
        Assert.Equal(SHA512.HashData([.. Prefixed("cpu"u8), .. Prefixed(expected), .. Prefixed(SHA512.HashData(Sample.RuntimeData))]), Binding.ReportData(Sample.RuntimeData, []));
    }

    [Fact]
    public void The_hashes_are_frozen() => Assert.Equal(
        "62890a5986aab8b79b249d917c703beaab8acc0958837bb40d013d6331a49cc9",
        Convert.ToHexStringLower(SHA256.HashData([.. Binding.Transcript(), .. Binding.GpuNonce(0), .. Binding.OtherReportData(0, []), .. Binding.ReportData(Sample.RuntimeData, [Other])])));

    [Fact]
    public void Each_part_changes_the_signed_field()
    {
        byte[][] all =
        [
            Binding.ReportData(Sample.RuntimeData, []),
            new Binding(AttesterRole.Coordinator, Sample.Nonce, Sample.PeerKey).ReportData(Sample.RuntimeData, []),
            new Binding(AttesterRole.Accelerator, Sample.Nonce, Sample.PeerKey).ReportData(Sample.RuntimeData, []),
            new Binding(AttesterRole.Workload, Sample.Nonce.AsMemory(1), Sample.PeerKey).ReportData(Sample.RuntimeData, []),
            new Binding(AttesterRole.Workload, Sample.Nonce, Sample.PeerKey.AsMemory(1)).ReportData(Sample.RuntimeData, []),
            Binding.ReportData([], []),
            Binding.ReportData(Sample.RuntimeData, [Other]),
            Binding.ReportData(Sample.RuntimeData, [Other, Other]),
            Binding.ReportData(Sample.RuntimeData, [Other with { RuntimeData = new byte[] { 1 } }]),
            Binding.OtherReportData(0, Sample.RuntimeData),
            Binding.OtherReportData(1, Sample.RuntimeData),
        ];
        Assert.Equal(all.Length, all.Select(Convert.ToHexString).Distinct().Count());
    }

    [Theory]
    [InlineData(15)]
    [InlineData(65)]
    public void A_nonce_has_16_to_64_bytes(int length) => Assert.Throws<ArgumentException>(() => new Binding(AttesterRole.Workload, new byte[length], Sample.PeerKey));

    [Fact]
    public void A_binding_needs_a_role_and_a_key()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Binding(0, Sample.Nonce, Sample.PeerKey));
        Assert.Throws<ArgumentException>(() => new Binding(AttesterRole.Workload, Sample.Nonce, default));
        Assert.Throws<ArgumentException>(() => new Binding(AttesterRole.Workload, Sample.Nonce, new byte[Binding.MaximumKey + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Binding.GpuNonce(-1));
    }

    private static readonly Evidence Other = new(TeeKind.NvidiaGpu, new byte[] { 1 }, default, default, []);

    private static byte[] Prefixed(ReadOnlySpan<byte> field)
    {
        byte[] bytes = new byte[4 + field.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, field.Length);
        field.CopyTo(bytes.AsSpan(4));
        return bytes;
    }
}
