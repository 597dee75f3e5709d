namespace Cloister.Homomorphic.Models;

/// <summary>A step to a leaf as the circuit takes it.</summary>
/// <param name="Question">What is asked.</param>
/// <param name="FromOne">Whether the step is wrong by 1 - b; otherwise by b.</param>
internal readonly record struct ForestStep(ForestQuestion Question, bool FromOne);

/// <summary>A leaf of the circuit.</summary>
/// <param name="Tree">Its tree's place in the part.</param>
/// <param name="Steps">The way to it.</param>
/// <param name="Values">Its values.</param>
internal sealed record ForestLeaf(int Tree, ForestStep[] Steps, int[] Values);

/// <summary>The leaves of trees that have values for the same scores: their answers fill groups of ciphertexts.</summary>
internal sealed record ForestPart(int Trees, ForestLeaf[] Leaves, int Groups, int[] Offsets)
{
    internal static ForestPart[] Of(LevelForest forest, ForestLayout layout)
    {
        var questions = new Dictionary<LevelQuestion, ForestQuestion>();
        ForestStep Step((LevelQuestion Question, bool Answer) step)
        {
            if (!questions.TryGetValue(step.Question, out ForestQuestion? question)) questions[step.Question] = question = ForestQuestion.Of(step.Question, forest, layout);
            return new ForestStep(question, step.Answer == question.NamesYes);
        }
        return
        [
            .. forest.Parts.Select((part, at) => new ForestPart(
                part.Count,
                [.. part.SelectMany((tree, number) => tree.Leaves.Select(leaf => new ForestLeaf(number, [.. leaf.Path.Select(Step)], [.. leaf.Values])))],
                layout.Groups[at],
                forest.Shared ? [.. forest.Offsets] : [forest.Offsets[at]])),
        ];
    }
}
