using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Cloister.Partitioning;
using Cloister.Partitioning.Reports;
using Cloister.Sealing;
using Cloister.Serving.Json;

namespace Cloister.Serving.Partitioned;

/// <summary>
/// The sealed entry <c>partition.json</c>: what was measured of a cut, signed by who measured it. JSON of three members, each base64:
/// <c>report</c>, the canonical bytes; <c>key</c>, the assessor's SubjectPublicKeyInfo; <c>signature</c>, 64 bytes over both.
/// </summary>
public static class SignedPartitionReport
{
    /// <summary>The entry's name, and the file's beside the parts.</summary>
    public const string Name = "partition.json";

    /// <summary>The largest file, in bytes.</summary>
    public const int MaximumBytes = 1 << 20;

    private const int MaximumKeyBytes = 1024;

    private static ReadOnlySpan<byte> Domain => "cloister/partition-report/v1"u8;

    /// <summary>Signs a report.</summary>
    /// <inheritdoc cref="Sign(ReadOnlySpan{byte}, MakerKey)"/>
    public static byte[] Sign(PartitionReport report, MakerKey assessor)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Sign(report.ToBytes(), assessor);
    }

    /// <summary>Reads a file, checks its signature, then reads the report in it.</summary>
    /// <param name="file">The bytes of <c>partition.json</c>.</param>
    /// <param name="assessor">SubjectPublicKeyInfo of whose word counts.</param>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionReportRefused"/>.</exception>
    public static PartitionReport Open(ReadOnlySpan<byte> file, ReadOnlySpan<byte> assessor)
    {
        try
        {
            return PartitionReport.Read(OpenBytes(file, assessor));
        }
        catch (PartitioningException refusal)
        {
            throw new ServingException(ServingError.PartitionReportRefused, $"{Name} is refused: {refusal.Message}", refusal);
        }
    }

    /// <summary>Signs the canonical bytes of a report.</summary>
    /// <param name="report">What <c>PartitionReport</c> writes.</param>
    /// <param name="assessor">Who vouches for it.</param>
    /// <returns>The file, UTF-8.</returns>
    /// <exception cref="ArgumentException">The report is empty, or the file would be larger than <see cref="MaximumBytes"/>.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> report, MakerKey assessor)
    {
        ArgumentNullException.ThrowIfNull(assessor);
        if (report.IsEmpty || Base64.GetMaxEncodedToUtf8Length(report.Length) > MaximumBytes - 2048)
            throw new ArgumentException($"A report has from 1 to {(MaximumBytes - 2048) / 4 * 3} bytes.", nameof(report));
        using var json = new JsonOutput();
        ReadOnlySpan<byte> key = assessor.Public.SubjectPublicKeyInfo.Span;
        json.Raw("{\"report\":"u8).Base64Of(report).Raw(",\"key\":"u8).Base64Of(key).Raw(",\"signature\":"u8).Base64Of(assessor.Sign(Message(report, key))).Raw("}\n"u8);
        return json.Written.ToArray();
    }

    /// <summary>Reads a file and checks its signature.</summary>
    /// <param name="file">The bytes of <c>partition.json</c>.</param>
    /// <param name="assessor">SubjectPublicKeyInfo of whose word counts.</param>
    /// <returns>The report's canonical bytes.</returns>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionReportRefused"/>.</exception>
    public static byte[] OpenBytes(ReadOnlySpan<byte> file, ReadOnlySpan<byte> assessor)
    {
        (byte[] report, byte[] key, byte[] signature) = Read(file);
        MakerPublicKey expected = KeyOf(assessor, "the key of the assessor whose word counts is refused");
        MakerPublicKey signer = KeyOf(key, "its key is refused");
        if (!signer.Equals(expected))
            throw Refused($"it is signed by {signer}, and the manifest counts on {expected}; let that assessor sign it, or name the signer in the manifest");
        return signer.Verify(Message(report, key), signature) ? report : throw Refused("its signature does not hold: it was changed after it was signed");
    }

    /// <summary>Who signed a file, as it says itself; nothing is checked but its form.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionReportRefused"/>.</exception>
    public static MakerPublicKey SignerOf(ReadOnlySpan<byte> file) => KeyOf(Read(file).Key, "its key is refused");

    internal static void Fuzz(ReadOnlySpan<byte> file)
    {
        try
        {
            Open(file, SignerOf(file).SubjectPublicKeyInfo.Span);
        }
        catch (ServingException refusal) when (refusal.Error == ServingError.PartitionReportRefused)
        {
            // The documented refusal.
        }
    }

    internal static ServingException Refused(string reason, Exception? inner = null) => new(ServingError.PartitionReportRefused, $"{Name} is refused: {reason}.", inner);

    private static (byte[] Report, byte[] Key, byte[] Signature) Read(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaximumBytes) throw Refused($"it is larger than {MaximumBytes} bytes");
        try
        {
            byte[]? report = null, key = null, signature = null;
            var cursor = new JsonCursor(file);
            cursor.OpenObject("the document");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (name.SequenceEqual("report"u8)) Once(ref report, "report", ref cursor, MaximumBytes);
                else if (name.SequenceEqual("key"u8)) Once(ref key, "key", ref cursor, MaximumKeyBytes);
                else if (name.SequenceEqual("signature"u8)) Once(ref signature, "signature", ref cursor, MakerPublicKey.SignatureSize);
                else throw Refused($"member '{Encoding.UTF8.GetString(name)}' is unknown; known are report, key, signature");
            }
            cursor.End();
            return (report ?? throw Missing("report"), key ?? throw Missing("key"), signature ?? throw Missing("signature"));
        }
        catch (ServingException refusal) when (refusal.Error != ServingError.PartitionReportRefused)
        {
            throw Refused(refusal.Message.TrimEnd('.'), refusal);
        }
    }

    private static void Once(ref byte[]? value, string member, ref JsonCursor cursor, int maximum)
    {
        if (value is not null) throw Refused($"member '{member}' stands there twice");
        if (cursor.Peek() != JsonKind.String) throw Refused($"member '{member}' must be a text in base64");
        ReadOnlySpan<byte> text = cursor.ReadString();
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        // White space is skipped by the decoder: one text for the same bytes is enough.
        if (Base64.DecodeFromUtf8(text, bytes, out _, out int written) != OperationStatus.Done || text.ContainsAny(" \t\r\n"u8))
            throw Refused($"member '{member}' is not base64");
        if (written == 0 || written > maximum) throw Refused($"member '{member}' has {written} bytes, where 1 to {maximum} are taken");
        value = bytes[..written];
    }

    private static ServingException Missing(string member) => Refused($"member '{member}' is missing");

    private static MakerPublicKey KeyOf(ReadOnlySpan<byte> spki, string what)
    {
        try
        {
            return MakerPublicKey.FromSpki(spki);
        }
        catch (SealingException refusal)
        {
            throw Refused($"{what}: {refusal.Message.TrimEnd('.')}", refusal);
        }
    }

    // What is signed together: label, report and key, each behind its length (4 bytes, little-endian).
    private static byte[] Message(ReadOnlySpan<byte> report, ReadOnlySpan<byte> key)
    {
        byte[] message = new byte[3 * sizeof(int) + Domain.Length + report.Length + key.Length];
        Put(Put(Put(message, Domain), report), key);
        return message;
    }

    private static Span<byte> Put(Span<byte> into, ReadOnlySpan<byte> part)
    {
        BinaryPrimitives.WriteInt32LittleEndian(into, part.Length);
        part.CopyTo(into[sizeof(int)..]);
        return into[(sizeof(int) + part.Length)..];
    }
}
