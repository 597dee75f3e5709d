using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>How many ciphertexts and bytes a query of some rows has.</summary>
internal readonly struct QueryLayout
{
    /// <summary>Model digest and rows, after the common header.</summary>
    internal const int HeadSize = Envelope.DigestSize + sizeof(uint);

    internal QueryLayout(RlweParameters parameters, ClientSpecification specification, int rows, bool hasPublicKey)
    {
        long ciphertexts = RowSets(specification, rows) * specification.Layout.QueryCiphertexts;
        CiphertextSize = SeedExpander.SeedBytes + ResiduePacking.Bytes(parameters.Basis);
        BodySize = (ciphertexts * CiphertextSize) + (hasPublicKey ? PublicKeyFormat.BodySize(parameters) : 0);
        if (BodySize > Envelope.MaximumBody)
            throw new HomomorphicException(HomomorphicError.WireOversized, $"A query of {rows} rows would have {BodySize} bytes; at most {Envelope.MaximumBody} travel at once. Send fewer rows.");
        Ciphertexts = (int)ciphertexts;
    }

    internal int Ciphertexts { get; }

    internal int CiphertextSize { get; }

    internal long BodySize { get; }

    internal static long RowSets(ClientSpecification specification, int rows) => ((long)rows + specification.Layout.Rows - 1) / specification.Layout.Rows;
}
