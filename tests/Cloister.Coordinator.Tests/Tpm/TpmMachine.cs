using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>A machine that booted an image as far as its TPM can tell: a certified software TPM, its PCRs extended, and the event log of that.</summary>
internal sealed class TpmMachine : IDisposable
{
    private readonly Swtpm _tpm;

    private TpmMachine(Swtpm tpm)
    {
        _tpm = tpm;
        Issuer = TpmIssuer.Open(tpm.Address, new BootLogs(tpm.In("log"), null));
    }

    public TpmIssuer Issuer { get; }

    /// <summary>The certificate of the authority that issued its endorsement key's.</summary>
    public byte[] Authority => (_certifier ?? _tpm).Issuer;

    private Swtpm? _certifier;

    /// <summary>Starts a machine; under an authority of its own if <paramref name="sibling"/> is null.</summary>
    public static async Task<TpmMachine> BootAsync(string image, TpmMachine? sibling = null)
    {
        Swtpm? certifier = sibling is null ? null : sibling._certifier ?? sibling._tpm;
        var machine = new TpmMachine(new Swtpm(certified: true, authority: certifier)) { _certifier = certifier };
        using var device = new TpmDevice(machine._tpm.Address);
        foreach (int pcr in TpmImage.Pinned)
            await device.ExtendAsync(pcr, TpmAlgorithm.Sha256, Event(image, pcr), default);
        machine.Log(image);
        return machine;
    }

    /// <summary>The measurements of an image, by either path.</summary>
    public static ImageMeasurements Measurements(string image, bool debug = false) => new()
    {
        Name = image,
        Product = 1,
        Version = 1,
        Debug = debug,
        Uki = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(image))),
        RootHash = new string('0', 64),
        Pcrs = Enum.GetValues<BootPath>().ToImmutableSortedDictionary(path => path, _ => TpmImage.Pinned.ToImmutableSortedDictionary(
            pcr => pcr, pcr => Convert.ToHexStringLower(SHA256.HashData([.. new byte[32], .. Event(image, pcr)])))),
    };

    /// <summary>The policy for an image in a TPM that this machine's authority endorsed.</summary>
    public TpmPolicy Wants(string image, Requirement<string>? certificates = null) =>
        TpmPolicy.Of(new TpmImage(Measurements(image), BootPath.Kernel), new TpmKeyPolicy.Endorsed([Authority], certificates ?? Requirement.Any<string>()));

    /// <summary>SHA-256 of its endorsement key's certificate.</summary>
    public async Task<string> CertificateAsync() => Convert.ToHexStringLower(SHA256.HashData((await Issuer.EndorsementAsync(default)).Certificate.Span));

    /// <summary>The name of its attestation key.</summary>
    public async Task<string> KeyNameAsync() => Convert.ToHexStringLower(TpmLayout.ParsePublic((await Issuer.EndorsementAsync(default)).AttestationKey).Value.Name.Span);

    /// <summary>Writes the log of another image than the one that was booted.</summary>
    public void Log(string image)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        byte[] header = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0xB, 0, 32, 0, 0];
        writer.Write(0);
        writer.Write(3);
        writer.Write(new byte[20]);
        writer.Write(header.Length);
        writer.Write(header);
        foreach (int pcr in TpmImage.Pinned)
        {
            writer.Write(pcr);
            writer.Write(6); // an event tag, whose data nothing ties to its digest
            writer.Write(1);
            writer.Write((ushort)TpmAlgorithm.Sha256);
            writer.Write(Event(image, pcr));
            writer.Write(0);
        }
        writer.Flush();
        _tpm.Write("log", bytes.ToArray());
    }

    public void Dispose()
    {
        Issuer.Dispose();
        _tpm.Dispose();
    }

    private static byte[] Event(string image, int pcr) => SHA256.HashData(Encoding.UTF8.GetBytes($"{image} {pcr}"));
}
