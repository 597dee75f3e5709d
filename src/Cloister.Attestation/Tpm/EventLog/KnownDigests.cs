using System.Collections.Immutable;
using System.Text;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>Digests of a bank that are the same for every boot: separators, and the names of a unified kernel image's sections.</summary>
internal sealed class KnownDigests
{
    // Section names in the order in which systemd-stub measures them (systemd-stub(7), "TPM PCR Notes").
    private static readonly ImmutableArray<string> SectionNames = [".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".dtbauto", ".hwids", ".uname", ".sbat", ".pcrsig", ".pcrpkey", ".profile", ".efifw"];

    private static readonly KnownDigests Sha1 = new(TpmAlgorithm.Sha1), Sha256 = new(TpmAlgorithm.Sha256), Sha384 = new(TpmAlgorithm.Sha384), Sha512 = new(TpmAlgorithm.Sha512);

    private readonly byte[] _zero, _erased;
    private readonly ImmutableArray<byte[]> _sections;

    private KnownDigests(TpmAlgorithm bank)
    {
        _zero = TpmHash.Hash(bank, [0, 0, 0, 0]);
        _erased = TpmHash.Hash(bank, [0xFF, 0xFF, 0xFF, 0xFF]);
        _sections = [.. SectionNames.Select(name => TpmHash.Hash(bank, Encoding.ASCII.GetBytes(name + '\0')))];
    }

    public static KnownDigests Of(TpmAlgorithm bank) => bank switch
    {
        TpmAlgorithm.Sha1 => Sha1,
        TpmAlgorithm.Sha256 => Sha256,
        TpmAlgorithm.Sha384 => Sha384,
        TpmAlgorithm.Sha512 => Sha512,
        _ => throw new ArgumentOutOfRangeException(nameof(bank), bank, "Not a bank."),
    };

    /// <summary>Whether a digest is that of a separator without an error.</summary>
    public bool IsSeparator(ReadOnlySpan<byte> digest) => digest.SequenceEqual(_zero) || digest.SequenceEqual(_erased);

    /// <summary>The section whose name, with its NUL, has this digest; null if there is none.</summary>
    public string? SectionNamed(ReadOnlySpan<byte> digest)
    {
        for (int i = 0; i < _sections.Length; i++)
            if (digest.SequenceEqual(_sections[i])) return SectionNames[i];
        return null;
    }
}
