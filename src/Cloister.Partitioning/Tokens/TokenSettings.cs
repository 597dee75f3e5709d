namespace Cloister.Partitioning.Tokens;

/// <summary>How token recovery is run. The same settings and model give the same score.</summary>
public sealed record TokenSettings
{
    /// <summary>Given texts that are asked for at least.</summary>
    public const int MinimumTexts = 50;

    /// <summary>Tokens that are told apart at most where no embedding table is known.</summary>
    public const int MaximumUnknownTokens = 1_024;

    /// <summary>Which texts are drawn, and which positions of them are looked at.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many threads may work.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Texts drawn to learn from.</summary>
    public int FitTexts { get; init; } = 2_000;

    /// <summary>Other texts drawn, to recover.</summary>
    public int TestTexts { get; init; } = 60;

    /// <summary>Tokens a text, where the model takes any number.</summary>
    public int Length { get; init; } = 12;

    /// <summary>Whether the attacker knows the model's embedding table: so it is where the model, or the one it was tuned from, is public.</summary>
    public bool TableIsPublic { get; init; } = true;

    /// <summary>Tokens of the vocabulary, where the model has no embedding table or it is secret.</summary>
    public int Vocabulary { get; init; }

    /// <summary>Positions that are fitted, of all texts together.</summary>
    public int MaximumRows { get; init; } = 50_000;

    /// <summary>Numbers that the decoder sees at most; more are hashed to as many.</summary>
    public int MaximumFeatures { get; init; } = 1_300;

    /// <summary>One fit text in so many is held out to choose the ridge.</summary>
    public int HoldOutOneIn { get; init; } = 10;

    /// <summary>The confidence of all intervals; tokens are taken as independent, as drawn ones are.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Refuses numbers with which nothing could be measured.</summary>
    /// <exception cref="ArgumentException">A number is below its least.</exception>
    internal void Demand()
    {
        if (Threads < 1 || Length < 1 || MaximumRows < 1 || MaximumFeatures < 1 || HoldOutOneIn is < 2 or > MinimumTexts / 2)
            throw new ArgumentException($"Threads, length, rows and features are at least 1, one text in 2 to {MinimumTexts / 2} is held out; got {this}.");
    }
}
