using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class RingParametersTests
{
    public static TheoryData<int, SecurityLevel, int> Table() => new()
    {
        { 1024, SecurityLevel.Bits128, 26 }, { 2048, SecurityLevel.Bits128, 53 }, { 4096, SecurityLevel.Bits128, 106 },
        { 8192, SecurityLevel.Bits128, 214 }, { 16384, SecurityLevel.Bits128, 430 }, { 32768, SecurityLevel.Bits128, 868 },
        { 2048, SecurityLevel.Bits192, 36 }, { 4096, SecurityLevel.Bits192, 73 }, { 8192, SecurityLevel.Bits192, 147 },
        { 16384, SecurityLevel.Bits192, 297 }, { 32768, SecurityLevel.Bits192, 597 },
        { 2048, SecurityLevel.Bits256, 27 }, { 4096, SecurityLevel.Bits256, 56 }, { 8192, SecurityLevel.Bits256, 114 },
        { 16384, SecurityLevel.Bits256, 230 }, { 32768, SecurityLevel.Bits256, 462 },
    };

    [Theory, MemberData(nameof(Table))]
    public void The_standard_chain_of_every_entry_keeps_to_the_table(int degree, SecurityLevel level, int maximum)
    {
        Assert.Equal(maximum, SecurityTable.MaximumBits(degree, level));
        RingParameters parameters = RingParameters.Standard(degree, level);
        Assert.Equal(level, parameters.Level);
        Assert.InRange(parameters.Basis.Product.GetBitLength(), maximum * 9 / 10, maximum);
        Assert.All(parameters.Basis.Moduli, modulus => Assert.Equal(1UL, modulus.Value % (2 * (ulong)degree)));
    }

    [Fact]
    public void Chains_of_sizes_are_the_primes_that_SEAL_chooses()
    {
        // CoeffModulus::Create(4096, {36, 36, 37}) of SEAL is its BFVDefault(4096).
        RingParameters parameters = Assert.Single(new[] { RingParameters.Create(8192, [36, 36, 37]) });
        Assert.Equal([36, 36, 37], parameters.Basis.Moduli.Select(modulus => 64 - System.Numerics.BitOperations.LeadingZeroCount(modulus.Value)));
        Assert.True(parameters.Basis.Moduli[0].Value < parameters.Basis.Moduli[1].Value);
    }

    [Fact]
    public void One_bit_more_than_the_table_is_refused_with_the_numbers()
    {
        HomomorphicException refused = Assert.Throws<HomomorphicException>(() => RingParameters.Create(4096, [36, 36, 37]));
        Assert.Equal(HomomorphicError.InsecureParameters, refused.Error);
        Assert.Contains("109 bits", refused.Message, StringComparison.Ordinal);
        Assert.Contains("106", refused.Message, StringComparison.Ordinal);
        Assert.Equal(HomomorphicError.InsecureParameters, Refused(() => RingParameters.Create(8192, [43, 43, 43, 43, 43])));
        Assert.Equal(HomomorphicError.InsecureParameters, Refused(() => RingParameters.Create(8192, [43, 43, 43, 43, 42], SecurityLevel.Bits192)));
    }

    [Fact]
    public void What_the_tables_do_not_know_is_refused()
    {
        Assert.Equal(HomomorphicError.NotInTables, Refused(() => RingParameters.Create(1024, [20], SecurityLevel.Bits192)));
        Assert.Equal(HomomorphicError.NotInTables, Refused(() => RingParameters.Standard(65536)));
        Assert.Equal(HomomorphicError.NotInTables, Refused(() => RingParameters.Standard(3000)));
        Assert.Equal(HomomorphicError.NotInTables, Refused(() => RingParameters.Standard(4096, (SecurityLevel)100)));
    }

    [Fact]
    public void Unfit_moduli_are_refused_each_for_its_reason()
    {
        ulong fit = NttPrimes.Generate(30, 8192, 1)[0];
        Assert.Equal(HomomorphicError.ChainLength, Refused(() => RingParameters.Create(4096, Array.Empty<ulong>())));
        Assert.Equal(HomomorphicError.ChainLength, Refused(() => RingParameters.Create(4096, new ulong[41])));
        Assert.Equal(HomomorphicError.ChainLength, Refused(() => RingParameters.Create(4096, new int[41])));
        Assert.Equal(HomomorphicError.ModulusSize, Refused(() => RingParameters.Create(4096, [50])));
        Assert.Equal(HomomorphicError.ModulusSize, Refused(() => RingParameters.Create(4096, [1UL << 50])));
        Assert.Equal(HomomorphicError.ModulusNotPrime, Refused(() => RingParameters.Create(4096, [8193UL])));
        Assert.Equal(HomomorphicError.ModulusHasNoTransform, Refused(() => RingParameters.Create(4096, [1000003UL])));
        Assert.Equal(HomomorphicError.ModulusRepeated, Refused(() => RingParameters.Create(4096, [fit, fit])));
        Assert.Equal(HomomorphicError.NotEnoughPrimes, Refused(() => RingParameters.Create(32768, [17, 17, 17])));
    }

    [Fact]
    public void Numbers_of_the_rings_and_ciphertexts_refusals_do_not_change() =>
        Assert.Equal(
            "DegreeNotSupported=100 ModulusSize=101 ModulusNotPrime=102 ModulusHasNoTransform=103 ModulusRepeated=104 ChainLength=105 InsecureParameters=106 NotInTables=107 NotEnoughPrimes=108 PlaintextModulus=109 SpecialModulus=110 NoSpecialModulus=111 Transparent=200 NoModulusLeft=201 NoGaloisKey=202 NotRelinearized=203 OtherParameters=204 OtherModuli=205",
            string.Join(' ', Enum.GetValues<HomomorphicError>().Where(error => (int)error < 300).Select(error => $"{error}={(int)error}")));

    private static HomomorphicError Refused(Func<object> act) => Assert.Throws<HomomorphicException>(act).Error;
}
