using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Serving.Encrypted;

/// <summary>How large a query may be: what the model's layout can fill, and no more than a server reads gladly.</summary>
internal static class QuerySizes
{
    /// <summary>The most row sets (<see cref="LayoutSpecification.Rows"/> rows each) of one query.</summary>
    public const int MostSets = 64;

    // One row set is always taken, however large the model makes it.
    private const long Gladly = 16 << 20;

    private const int Heads = 4096, HeadOfOne = 256, Polynomials = 2, BytesAResidue = 8;

    /// <summary>The most bytes of a query in its envelope, whatever format it has: two polynomials a ciphertext, eight bytes a residue.</summary>
    public static long Largest(CompiledModel model)
    {
        ParameterSpecification parameters = model.Client.Parameters;
        long ciphertext = HeadOfOne + (long)Polynomials * BytesAResidue * parameters.Degree * (parameters.Primes.Count - parameters.SpecialPrimes);
        long set = ciphertext * model.Client.Layout.QueryCiphertexts, key = parameters.CircuitPrivacy ? ciphertext : 0;
        return Envelope.Overhead + Heads + key + Math.Clamp(set * MostSets, set, Math.Max(set, Gladly));
    }
}
