namespace Cloister.Homomorphic.Models;

/// <summary>One question about a level, with the leaves' side of it: the path to a leaf goes on where the level is one of <paramref name="Yes"/>, or where it is not.</summary>
internal readonly record struct LevelQuestion(int Feature, LevelSet Yes);

/// <summary>A leaf: what was answered on the way to it, and its integers, one a score.</summary>
internal sealed record LevelLeaf(IReadOnlyList<(LevelQuestion Question, bool Answer)> Path, int[] Values)
{
    internal bool IsReached(ReadOnlySpan<int> levels)
    {
        foreach ((LevelQuestion question, bool answer) in Path)
            if (question.Yes.Contains(levels[question.Feature]) != answer) return false;
        return true;
    }
}

/// <summary>A tree over levels: its leaves. No two of them are reached together: where their paths part, one asks for the other's opposite.</summary>
internal sealed record LevelTree(IReadOnlyList<LevelLeaf> Leaves)
{
    internal LevelLeaf Leaf(ReadOnlySpan<int> levels)
    {
        foreach (LevelLeaf leaf in Leaves)
            if (leaf.IsReached(levels)) return leaf;
        throw new InvalidOperationException("A row reached no leaf.");
    }
}
