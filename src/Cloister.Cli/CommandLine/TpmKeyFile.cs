using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Cli.CommandLine;

/// <summary>The key of a machine's TPM in a file: its public area (TPMT_PUBLIC, or TPM2B_PUBLIC as tpm2-tools write it), or the endorsement key's certificate (DER, PEM).</summary>
internal static class TpmKeyFile
{
    private const string CertificateLabel = "CERTIFICATE";
    private const int Limit = 64 << 10;

    /// <summary>Reads the key.</summary>
    /// <param name="path">The file.</param>
    /// <param name="roots">PEM files of the authorities of endorsement keys; then the file must be a certificate of theirs.</param>
    /// <param name="now">When certificates must be valid.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The key, and whether an authority vouches for it.</returns>
    public static async Task<(TpmPublic Key, bool Vouched)> ReadAsync(string path, IReadOnlyList<string> roots, DateTimeOffset now, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation, Limit);
        ImmutableArray<ReadOnlyMemory<byte>> certificates = CertificatesIn(bytes);
        if (certificates.IsEmpty)
        {
            if (roots.Count > 0) throw new CommandException(ExitCode.BadInput, $"'{path}' is no certificate, so no authority can vouch for it. Give the endorsement key's certificate, or leave the authorities out.");
            ReadOnlyMemory<byte> area = bytes.Length > 2 && BinaryPrimitives.ReadUInt16BigEndian(bytes) == bytes.Length - 2 ? bytes.AsMemory(2) : bytes;
            Outcome<TpmPublic> read = TpmLayout.ParsePublic(area);
            return read.IsAccepted ? (read.Value, false) : throw new CommandException(ExitCode.BadInput, $"'{path}' holds neither a TPM key's public area (TPMT_PUBLIC, TPM2B_PUBLIC) nor a certificate: {read.Reason}.");
        }
        if (roots.Count == 0) throw new CommandException(ExitCode.Usage, $"'{path}' is a certificate. Name the authority that must have issued it with --tpm-root.");
        var anchors = ImmutableArray.CreateBuilder<Anchor>();
        foreach (string root in roots)
        {
            ImmutableArray<ReadOnlyMemory<byte>> these = CertificatesIn(await LocalFile.ReadAsync(root, cancellation, Limit));
            if (these.IsEmpty) throw new CommandException(ExitCode.BadInput, $"'{root}' holds no certificate.");
            anchors.AddRange(these.Select(der => new Anchor(TeeKind.Tpm, root, der)));
        }
        try
        {
            Outcome<TpmPublic> checkedKey = TpmEndorsementKey.Of(certificates[0], certificates[1..], new Anchors(anchors.ToImmutable()), VerificationTime.At(now));
            return checkedKey.IsAccepted ? (checkedKey.Value, true) : throw new CommandException(ExitCode.BadInput, $"The certificate in '{path}' is refused: {checkedKey.Field}: {checkedKey.Reason}.");
        }
        catch (ArgumentException unreadable)
        {
            throw new CommandException(ExitCode.BadInput, unreadable.Message, unreadable);
        }
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> CertificatesIn(byte[] bytes)
    {
        const byte sequence = 0x30;
        if (bytes.Length > 0 && bytes[0] == sequence) return [bytes];
        char[] text = Encoding.UTF8.GetChars(bytes);
        var found = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (ReadOnlySpan<char> rest = text; PemEncoding.TryFind(rest, out PemFields fields); rest = rest[fields.Location.End..])
        {
            if (rest[fields.Label] is not CertificateLabel) continue;
            byte[] der = new byte[fields.DecodedDataLength];
            if (Convert.TryFromBase64Chars(rest[fields.Base64Data], der, out int length)) found.Add(der.AsMemory(0, length));
        }
        return found.ToImmutable();
    }
}
