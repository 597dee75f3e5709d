using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Parameters as a specification writes them, and as ciphertexts use them.</summary>
public static class ParameterSpecifications
{
    /// <summary>Makes parameters: chain and modulus are checked against the security tables here.</summary>
    /// <exception cref="HomomorphicException">The parameters are refused; the number says why.</exception>
    public static RlweParameters Create(ParameterSpecification specification) => RlweParameters.Create(
        RingParameters.Create(specification.Degree, [.. specification.Primes], (SecurityLevel)specification.SecurityBits), specification.PlaintextModulus, specification.SpecialPrimes);

    /// <summary>Writes parameters down.</summary>
    public static ParameterSpecification Of(RlweParameters parameters, int answerBits, bool circuitPrivacy) => new()
    {
        Degree = parameters.Ring.Degree,
        Primes = [.. parameters.Ring.Basis.Moduli.Select(modulus => modulus.Value)],
        SpecialPrimes = parameters.SpecialModuli,
        PlaintextModulus = parameters.Plaintext.Value,
        SecurityBits = (int)parameters.Ring.Level,
        AnswerBits = answerBits,
        CircuitPrivacy = circuitPrivacy,
    };
}
