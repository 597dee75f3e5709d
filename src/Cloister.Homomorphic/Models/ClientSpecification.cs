namespace Cloister.Homomorphic.Models;

/// <summary>All that a client needs to ask a compiled model: it is public, and says nothing of the model but what is written here.</summary>
public sealed record ClientSpecification
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of the compiled model, hexadecimal, lower case: queries and answers are bound to it.</summary>
    public required string Digest { get; init; }

    /// <summary>How it is computed.</summary>
    public required ModelDesign Design { get; init; }

    /// <summary>What keys and ciphertexts are made with.</summary>
    public required ParameterSpecification Parameters { get; init; }

    /// <summary>How every feature becomes an integer, in the order of a row.</summary>
    public required IReadOnlyList<FeatureSpecification> Features { get; init; }

    /// <summary>Where the integers stand in ciphertexts and answers.</summary>
    public required LayoutSpecification Layout { get; init; }

    /// <summary>How decrypted integers become a prediction.</summary>
    public required OutputSpecification Output { get; init; }

    /// <summary>What a client learns of the model, in sentences.</summary>
    public required IReadOnlyList<string> Learns { get; init; }
}

/// <summary>Ring and moduli.</summary>
public sealed record ParameterSpecification
{
    /// <summary>n.</summary>
    public required int Degree { get; init; }

    /// <summary>The chain; special primes stand last.</summary>
    public required IReadOnlyList<ulong> Primes { get; init; }

    /// <summary>How many of the last primes are special: no ciphertext is over them.</summary>
    public int SpecialPrimes { get; init; }

    /// <summary>t.</summary>
    public required ulong PlaintextModulus { get; init; }

    /// <summary>128, 192 or 256.</summary>
    public required int SecurityBits { get; init; }

    /// <summary>Coefficients of a compact answer are modulo 2 to this power.</summary>
    public required int AnswerBits { get; init; }

    /// <summary>Whether a query carries a public key, for the server to hide the model in its answers.</summary>
    public bool CircuitPrivacy { get; init; }
}

/// <summary>One feature.</summary>
public sealed record FeatureSpecification
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Linear designs: an integer is round((x - Offset) / Step), held within Minimum and Maximum.</summary>
    public double Offset { get; init; }

    /// <summary>Linear designs: see <see cref="Offset"/>.</summary>
    public double Step { get; init; }

    /// <summary>Linear designs: the least integer.</summary>
    public int Minimum { get; init; }

    /// <summary>Linear designs: the greatest integer.</summary>
    public int Maximum { get; init; }

    /// <summary>Forests: the level of x is the number of edges below x (edge &lt; x); ascending.</summary>
    public IReadOnlyList<double> Edges { get; init; } = [];

    /// <summary>Forests: the level of an absent feature; null where it may not be absent.</summary>
    public int? AbsentLevel { get; init; }
}

/// <summary>Where things stand. The members' meanings by design are written in docs/formats.</summary>
public sealed record LayoutSpecification
{
    /// <summary>How many rows a ciphertext (linear) or a set of ciphertexts (forest) holds.</summary>
    public required int Rows { get; init; }

    /// <summary>Linear: coefficients from one row to the next. Forest: coefficients from one level to the next.</summary>
    public required int Stride { get; init; }

    /// <summary>Forest: how many levels a feature has.</summary>
    public int Levels { get; init; }

    /// <summary>Forest: how many features share a ciphertext.</summary>
    public int FeaturesPerCiphertext { get; init; }

    /// <summary>How many ciphertexts a query of <see cref="Rows"/> rows has.</summary>
    public required int QueryCiphertexts { get; init; }

    /// <summary>How many ciphertexts its answer has.</summary>
    public required int AnswerCiphertexts { get; init; }

    /// <summary>Forest: how many trees contribute to each score.</summary>
    public IReadOnlyList<int> Trees { get; init; } = [];

    /// <summary>Forest: how many groups of leaves each score has; one number where all scores share their leaves.</summary>
    public IReadOnlyList<int> Groups { get; init; } = [];
}

/// <summary>Scores and classes.</summary>
public sealed record OutputSpecification
{
    /// <summary>What becomes of the scores.</summary>
    public required LinkFunction Link { get; init; }

    /// <summary>The classes; empty for a regression.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Of two classes with one score, the second is chosen where the score is greater than this.</summary>
    public double Threshold { get; init; }

    /// <summary>One number a score: score = decrypted integer (balanced) times it.</summary>
    public required IReadOnlyList<double> Scales { get; init; }

    /// <summary>One number a score: added after scaling; zero where the server adds it.</summary>
    public required IReadOnlyList<double> Offsets { get; init; }
}
