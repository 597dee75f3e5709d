using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Ring;

/// <summary>The same bits on lesser processors: this program runs again with instruction sets switched off and prints what it has and what it computed.</summary>
public sealed class ProcessorTests
{
    public static int Main()
    {
        Console.WriteLine(Sets());
        Console.WriteLine(Computed());
        return 0;
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "AVX-512")]
    [InlineData("DOTNET_EnableAVX2", "AVX2")]
    [InlineData("DOTNET_EnableAVX2", "FMA")]
    [InlineData("DOTNET_EnableHWIntrinsic", "AVX2")]
    public async Task Without_an_instruction_set_the_results_are_the_same(string variable, string set)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return; // the switches are this architecture's
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ProcessorTests).Assembly.Location);
        start.Environment[variable] = "0";
        using Process child = Process.Start(start)!;
        string[] lines = (await child.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.TrimEntries);
        await child.WaitForExitAsync();
        Assert.Equal(0, child.ExitCode);
        Assert.DoesNotContain(set, lines[0].Split(' ')); // the switch took effect
        Assert.Equal(Computed(), lines[1]);
    }

    private static string Sets() => $"{VectorWidths.Best} {(Avx512F.IsSupported ? "AVX-512" : "")} {(Avx2.IsSupported ? "AVX2" : "")} {(Fma.IsSupported ? "FMA" : "")}";

    // Samplers, transforms, products, conversions, division and rescaling, each at its best width and at every width.
    private static string Computed()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        RnsBasis basis = RingParameters.Standard(2048, SecurityLevel.Bits128).Basis, extension = new(2048, new Modulus(NttPrimes.Generate(45, 4096, 1)[0]), new Modulus(NttPrimes.Generate(30, 4096, 1)[0]));
        RnsBasis chain = new(2048, [.. basis.Moduli, .. extension.Moduli]);
        using RnsPolynomial a = new(chain), b = new(chain), target = new(basis), errors = new(chain), sums = new(chain);
        using (var stream = new SeedExpander(new byte[32], "processor"u8))
        {
            Samplers.Uniform(stream, a);
            Samplers.Ternary(stream, b);
            Samplers.CenteredBinomial(stream, errors);
            Append(errors);
        }
        foreach (VectorWidth width in Balanced.Widths)
        {
            new BaseConverter(extension, basis).Convert(Part(a, 1..), target, BaseConversion.Corrected, width);
            Append(target);
            for (int limb = 0; limb < chain.Count; limb++)
            {
                chain.Transform(limb).Forward(b.Limb(limb), NttOrder.Internal, width);
                chain.Transform(limb).Inverse(a.Limb(limb), NttOrder.BitReversed, width);
            }
            b.Run<Accumulation>(a, b, width);
            new RnsDivision(chain, 2).Divide(b, target, width);
            Append(target);
            unsafe
            {
                // Digits of the first modulus with keys over the second; the eighth sums are reduced.
                double* first = a.Pointer, second = first + 2048, sum = sums.Pointer;
                foreach (int digit in (int[])[0, 7]) KeyProducts.AddTransformed(first, sum + 2 * 2048, chain.Transform(1), b.Pointer + 2048, second, sum, sum + 2048, digit, width);
                KeyProducts.Finish(first, sum + 2 * 2048, chain.Transform(1), sum, 12345, second, sum, width);
                sums.Limb(2).Clear();
                Append(sums);
            }
            foreach (RnsPolynomial x in (RnsPolynomial[])[a, Part(a, ..1)])
            {
                var compact = new ulong[2048];
                new CompactScaling(x.Basis, 41).Scale(x, compact, width);
                hash.AppendData(MemoryMarshal.AsBytes(compact.AsSpan()));
            }
        }
        return Convert.ToHexString(hash.GetHashAndReset());

        RnsPolynomial Part(RnsPolynomial whole, Range limbs)
        {
            var part = new RnsPolynomial(chain.Slice(limbs));
            for (int limb = 0; limb < part.Basis.Count; limb++) whole.Limb(limb + limbs.Start.Value).CopyTo(part.Limb(limb));
            return part;
        }

        void Append(RnsPolynomial polynomial)
        {
            for (int limb = 0; limb < polynomial.Basis.Count; limb++) hash.AppendData(MemoryMarshal.AsBytes(polynomial.Limb(limb)));
        }
    }
}
