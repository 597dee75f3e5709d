namespace Cloister.Homomorphic.Models;

/// <summary>
/// Where a forest's features and leaves stand, as the public specification says. Feature f is in ciphertext f / G of a row, its level l is the coefficient
/// X^(f mod G + l stride) of the message. A group of leaves is one ciphertext that detects which were reached and one for each score they have values
/// for; leaf e of a group is coefficient e G of each.
/// </summary>
internal sealed class ForestLayout
{
    private ForestLayout(ClientSpecification specification)
    {
        LayoutSpecification layout = specification.Layout;
        (Degree, Levels, Stride, PerCiphertext) = (specification.Parameters.Degree, layout.Levels, layout.Stride, layout.FeaturesPerCiphertext);
        (Features, Inputs, Answers) = (specification.Features.Count, layout.QueryCiphertexts, layout.AnswerCiphertexts);
        (Trees, Groups, Shared) = (layout.Trees, layout.Groups, layout.Groups.Count < layout.Trees.Count);
    }

    /// <summary>n.</summary>
    internal int Degree { get; }

    /// <summary>How many levels a feature has: n / stride.</summary>
    internal int Levels { get; }

    /// <summary>From one level to the next.</summary>
    internal int Stride { get; }

    /// <summary>G, from one leaf to the next.</summary>
    internal int PerCiphertext { get; }

    /// <summary>How many leaves a group has.</summary>
    internal int Leaves => Stride / PerCiphertext;

    /// <summary>How many features there are.</summary>
    internal int Features { get; }

    /// <summary>How many ciphertexts a row has.</summary>
    internal int Inputs { get; }

    /// <summary>How many ciphertexts a row's answer has.</summary>
    internal int Answers { get; }

    /// <summary>How many trees a score has.</summary>
    internal IReadOnlyList<int> Trees { get; }

    /// <summary>How many groups a score has; one number if all scores share their leaves.</summary>
    internal IReadOnlyList<int> Groups { get; }

    /// <summary>Whether every leaf has a value for every score.</summary>
    internal bool Shared { get; }

    /// <summary>How many values a leaf has.</summary>
    internal int Values => Shared ? Trees.Count : 1;

    /// <summary>Checks a specification.</summary>
    /// <exception cref="HomomorphicException">It is refused (<see cref="HomomorphicError.Specification"/>).</exception>
    internal static ForestLayout Of(ClientSpecification specification)
    {
        LayoutSpecification layout = specification.Layout;
        int scores = specification.Output.Scales.Count, features = specification.Features.Count, per = layout.FeaturesPerCiphertext;
        if (specification.Design != ModelDesign.Forest) throw Refuse("it is of another design");
        if (specification.Parameters.PlaintextModulus != ForestParameters.PlaintextModulus || !specification.Parameters.CircuitPrivacy) throw Refuse($"forests compute modulo {ForestParameters.PlaintextModulus}, with circuit privacy");
        if (layout.Levels is < ForestParameters.LeastLevels or > ForestParameters.MostLevels || !int.IsPow2(layout.Levels) || (long)layout.Levels * layout.Stride != specification.Parameters.Degree)
            throw Refuse($"{layout.Levels} levels at stride {layout.Stride} do not fill {specification.Parameters.Degree} coefficients");
        if (per < 1 || per > layout.Stride || layout.Stride % per != 0) throw Refuse($"{per} features do not share a stride of {layout.Stride}");
        if (layout.Rows != 1 || layout.QueryCiphertexts != (features + per - 1) / per) throw Refuse($"a row of {features} features does not take {layout.QueryCiphertexts} ciphertexts");
        if (layout.Trees.Count != scores || (layout.Groups.Count != scores && layout.Groups.Count != 1)) throw Refuse("its trees and groups are not counted for every score");
        bool shared = layout.Groups.Count < scores;
        long answers = 0;
        for (int k = 0; k < layout.Groups.Count; k++)
        {
            if (layout.Groups[k] < 1 || layout.Trees[k] < 1 || layout.Trees[k] > (long)layout.Groups[k] * layout.Stride / per) throw Refuse($"{layout.Trees[k]} trees do not fit {layout.Groups[k]} groups");
            answers += (long)layout.Groups[k] * (shared ? 1 + scores : 2);
        }
        if (shared && layout.Trees.Any(trees => trees != layout.Trees[0])) throw Refuse("scores share their leaves but not their trees");
        if (answers != layout.AnswerCiphertexts) throw Refuse($"its groups do not make {layout.AnswerCiphertexts} ciphertexts");
        return new ForestLayout(specification);
    }

    /// <summary>The coefficient of a message at which a feature's level stands.</summary>
    internal int Place(int feature, int level) => feature % PerCiphertext + level * Stride;

    private static HomomorphicException Refuse(string reason) => new(HomomorphicError.Specification, $"The forest's specification is refused: {reason}.");
}
