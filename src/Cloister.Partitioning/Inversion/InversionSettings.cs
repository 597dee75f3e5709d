namespace Cloister.Partitioning.Inversion;

/// <summary>How the inversion attack is run. The same settings and pictures give the same score.</summary>
public sealed record InversionSettings
{
    /// <summary>Pictures to fit that are asked for at least; 300 and more give a verdict worth reading.</summary>
    public const int MinimumFitPictures = 20;

    /// <summary>Pictures to test that are asked for at least; chance is one in as many, so that few say little.</summary>
    public const int MinimumTestPictures = 10;

    /// <summary>Which cells are looked at, and where numbers go that are too many.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many threads may work.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Cells that are fitted, of all pictures together; each picture gives as many.</summary>
    public int MaximumRows { get; init; } = 50_000;

    /// <summary>Numbers that the decoder sees of a cell, at most; the cost grows with the square.</summary>
    public int MaximumFeatures { get; init; } = 1_300;

    /// <summary>A neighbourhood of 3 x 3 cells is looked at where it holds no more numbers; else the cell alone.</summary>
    public int NeighbourhoodFeatures { get; init; } = 1_200;

    /// <summary>One fit picture in so many is held out to choose the ridge.</summary>
    public int HoldOutOneIn { get; init; } = 10;

    /// <summary>Test pictures whose reconstructions are kept for people to look at.</summary>
    public int KeptPictures { get; init; } = 4;

    /// <summary>The confidence of all intervals.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Refuses numbers with which nothing could be measured.</summary>
    /// <exception cref="ArgumentException">A number is below its least.</exception>
    internal void Demand()
    {
        if (Threads < 1 || MaximumRows < 1 || MaximumFeatures < 1 || KeptPictures < 0 || HoldOutOneIn is < 2 or > MinimumFitPictures)
            throw new ArgumentException($"Threads, rows and features are at least 1, one picture in 2 to {MinimumFitPictures} is held out; got {this}.");
    }
}
