namespace Cloister.Homomorphic.Models;

/// <summary>A question as the circuit asks it: b is the sum of a row's one-hot coefficients at some places.</summary>
/// <param name="Input">The ciphertext of a row that holds the feature.</param>
/// <param name="Places">The coefficients of the levels it names.</param>
/// <param name="NamesYes">Whether it names the levels that answer yes, so that b is 1 for yes; otherwise those that answer no.</param>
internal sealed record ForestQuestion(int Input, int[] Places, bool NamesYes)
{
    internal static ForestQuestion Of(LevelQuestion question, LevelForest forest, ForestLayout layout)
    {
        LevelSet named = Named(question, forest.Levels);
        return new ForestQuestion(question.Feature / layout.PerCiphertext, [.. named.Levels().Select(level => layout.Place(question.Feature, level))], named == question.Yes);
    }

    /// <summary>The levels that answer yes or those that answer no, whichever are fewer. The same for every leaf that the question leads to.</summary>
    internal static LevelSet Named(LevelQuestion question, IReadOnlyList<FeatureLevels> levels)
    {
        LevelSet no = levels[question.Feature].All - question.Yes;
        return question.Yes.Count <= no.Count ? question.Yes : no;
    }
}
