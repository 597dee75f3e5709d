using System.Diagnostics.CodeAnalysis;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Holds a client specification to its ranges. A member that the document leaves out arrives here as null or zero.</summary>
internal static class SpecificationCheck
{
    /// <summary>The most features a model may have.</summary>
    internal const int MaximumFeatures = 1 << 14;

    /// <summary>The most scores a model may have.</summary>
    internal const int MaximumScores = 1 << 12;

    private const int MaximumEdges = 1 << 12, MaximumCiphertexts = 1 << 14, MaximumInteger = 1 << 30, MaximumText = 256, MaximumSentence = 2048, MaximumSentences = 64;

    internal static void Require([NotNull] ClientSpecification? specification, bool published)
    {
        if (specification is null) throw Refuse("specification", "there is none");
        Text("model", specification.Model, MaximumText);
        bool hexadecimal = specification.Digest is { Length: 64 } digest && digest.All(char.IsAsciiHexDigitLower);
        if (published ? !hexadecimal : specification.Digest != "") throw Refuse("digest", published ? "it is not 64 lower-case hexadecimal digits" : "within a compiled model it is empty");
        if (!Enum.IsDefined(specification.Design)) throw Refuse("design", "it is unknown");
        Parameters(specification.Parameters);
        Layout(specification.Layout, specification.Parameters.Degree);
        Output(specification.Output);
        List("features", specification.Features, 1, MaximumFeatures);
        foreach (FeatureSpecification feature in specification.Features) Feature(feature, specification);
        List("learns", specification.Learns, 1, MaximumSentences);
        foreach (string sentence in specification.Learns) Text("learns", sentence, MaximumSentence);
    }

    private static void Parameters(ParameterSpecification parameters)
    {
        if (parameters is null) throw Refuse("parameters", "they are missing");
        if (!int.IsPow2(parameters.Degree)) throw Refuse("parameters.degree", "it is no power of two");
        Range("parameters.degree", parameters.Degree, NegacyclicNtt.MinimumDegree, NegacyclicNtt.MaximumDegree);
        List("parameters.primes", parameters.Primes, 1, RnsBasis.MaximumModuli);
        foreach (ulong prime in parameters.Primes)
            if (prime < 3 || prime >> NttPrimes.MaximumBits != 0) throw Refuse("parameters.primes", $"{prime} is not from 3 to 2^{NttPrimes.MaximumBits} - 1");
        Range("parameters.specialPrimes", parameters.SpecialPrimes, 0, Math.Min(1, parameters.Primes.Count - 1));
        if (parameters.PlaintextModulus < 2 || parameters.PlaintextModulus >> NttPrimes.MaximumBits != 0) throw Refuse("parameters.plaintextModulus", $"it is not from 2 to 2^{NttPrimes.MaximumBits} - 1");
        if (!Enum.IsDefined((SecurityLevel)parameters.SecurityBits)) throw Refuse("parameters.securityBits", "it is not 128, 192 or 256");
        Range("parameters.answerBits", parameters.AnswerBits, CompactScaling.MinimumBits, CompactScaling.MaximumBits);
    }

    private static void Layout(LayoutSpecification layout, int degree)
    {
        if (layout is null) throw Refuse("layout", "it is missing");
        Range("layout.rows", layout.Rows, 1, degree);
        Range("layout.stride", layout.Stride, 1, degree);
        Range("layout.levels", layout.Levels, 0, degree);
        Range("layout.featuresPerCiphertext", layout.FeaturesPerCiphertext, 0, degree);
        Range("layout.queryCiphertexts", layout.QueryCiphertexts, 1, MaximumCiphertexts);
        Range("layout.answerCiphertexts", layout.AnswerCiphertexts, 1, MaximumCiphertexts);
        List("layout.trees", layout.Trees, 0, MaximumScores);
        foreach (int trees in layout.Trees) Range("layout.trees", trees, 0, MaximumInteger);
        List("layout.groups", layout.Groups, 0, MaximumScores);
        foreach (int groups in layout.Groups) Range("layout.groups", groups, 0, MaximumInteger);
    }

    private static void Output(OutputSpecification output)
    {
        if (output is null) throw Refuse("output", "it is missing");
        if (!Enum.IsDefined(output.Link)) throw Refuse("output.link", "it is unknown");
        List("output.scales", output.Scales, 1, MaximumScores);
        List("output.offsets", output.Offsets, output.Scales.Count, output.Scales.Count);
        foreach (double scale in output.Scales)
            if (!double.IsFinite(scale) || scale <= 0) throw Refuse("output.scales", "one is not a positive number");
        foreach (double offset in output.Offsets) Finite("output.offsets", offset);
        Finite("output.threshold", output.Threshold);
        List("output.classes", output.Classes, 0, MaximumScores);
        int scores = output.Scales.Count, classes = output.Classes.Count;
        if (classes != 0 && classes != scores && (classes, scores) != (2, 1)) throw Refuse("output.classes", $"{classes} classes do not belong to {scores} scores");
        foreach (string name in output.Classes) Text("output.classes", name, MaximumText);
    }

    private static void Feature(FeatureSpecification feature, ClientSpecification specification)
    {
        if (feature is null) throw Refuse("features", "one is missing");
        Text("features.name", feature.Name, MaximumText);
        List("features.edges", feature.Edges, 0, MaximumEdges);
        if (specification.Design == ModelDesign.Linear)
        {
            Finite("features.offset", feature.Offset);
            if (!double.IsFinite(feature.Step) || feature.Step <= 0) throw Refuse("features.step", "it is not a positive number");
            Range("features.minimum", feature.Minimum, -MaximumInteger, MaximumInteger);
            Range("features.maximum", feature.Maximum, feature.Minimum, MaximumInteger);
            if ((ulong)Math.Max(-(long)feature.Minimum, feature.Maximum) >= (specification.Parameters.PlaintextModulus + 1) / 2) throw Refuse("features.maximum", "the plaintext modulus cannot hold it");
            if (feature.AbsentLevel is not null) throw Refuse("features.absentLevel", "a linear model knows no absent features");
            return;
        }
        for (int i = 0; i < feature.Edges.Count; i++)
            if (!double.IsFinite(feature.Edges[i]) || (i > 0 && feature.Edges[i] <= feature.Edges[i - 1])) throw Refuse("features.edges", "they are not finite and ascending");
        if (feature.Edges.Count >= specification.Layout.Levels) throw Refuse("features.edges", $"{feature.Edges.Count} edges make more than {specification.Layout.Levels} levels");
        if (feature.AbsentLevel is { } absent) Range("features.absentLevel", absent, 0, specification.Layout.Levels - 1);
    }

    private static void List<T>(string member, IReadOnlyList<T>? list, int least, int most)
    {
        if (list is null) throw Refuse(member, "it is missing");
        if (list.Count < least || list.Count > most) throw Refuse(member, $"it has {list.Count} entries, not {least} to {most}");
    }

    private static void Text(string member, string? text, int most)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > most || text.Any(char.IsControl)) throw Refuse(member, $"it is empty, longer than {most} characters, or holds control characters");
    }

    private static void Range(string member, int number, int least, int most)
    {
        if (number < least || number > most) throw Refuse(member, $"{number} is not from {least} to {most}");
    }

    private static void Finite(string member, double number)
    {
        if (!double.IsFinite(number)) throw Refuse(member, "it is not finite");
    }

    private static HomomorphicException Refuse(string member, string reason) => new(HomomorphicError.Specification, $"The client specification's {member} is refused: {reason}.");
}
