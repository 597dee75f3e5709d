using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// What verifiers of SGX and TDX remember between quotes: chains and collateral that held, and imported keys. Bounded and
/// thread-safe. Validity is looked at anew each time, so outcomes do not depend on it.
/// </summary>
public sealed class DcapMemory
{
    private const int Chains = 64, Collaterals = 16;

    internal SignatureChecker Signatures { get; } = new();

    private readonly RecentValues<PckChain> _chains = new(Chains);
    private readonly RecentValues<ReadCollateral> _collaterals = new(Collaterals);

    internal Outcome<PckChain> ChainOf(ReadOnlySpan<byte> pem, Certificate root)
    {
        if (_chains.Find(pem, root.Encoded.Span) is { } known) return Outcome.Accept(known);
        Outcome<PckChain> proven = PckChain.Prove(pem, root, Signatures);
        if (proven.IsAccepted) _chains.Add(pem.ToArray(), root.Encoded.ToArray(), proven.Value);
        return proven;
    }

    internal Outcome<ReadCollateral> CollateralOf(ReadOnlySpan<byte> json, Certificate root)
    {
        if (_collaterals.Find(json, root.Encoded.Span) is { } known) return Outcome.Accept(known);
        byte[] kept = json.Length <= CollateralJson.MaximumSize ? json.ToArray() : []; // what is remembered may not change under its reader
        Outcome<DcapCollateral> parsed = kept.Length == json.Length
            ? DcapCollateral.Parse(kept)
            : Outcome.Refuse<DcapCollateral>(Refusal.DcapCollateralMalformed, "collateral", $"{json.Length} bytes; at most {CollateralJson.MaximumSize} are read");
        if (!parsed.IsAccepted) return parsed.RefuseAs<ReadCollateral>();
        ReadCollateral read = ReadCollateral.Of(parsed.Value, root, Signatures);
        if (read.Holds) _collaterals.Add(kept, root.Encoded.ToArray(), read);
        return Outcome.Accept(read);
    }
}
