namespace Cloister.Cli.Quickstart;

/// <summary>Which model the story is told with, and how.</summary>
internal sealed record QuickstartOptions
{
    public required string Model { get; init; }
    public required string? Labels { get; init; }
    public required string? Preprocess { get; init; }
    public required IReadOnlyList<string> Images { get; init; }
    public required bool Attacks { get; init; }
    public required bool Keep { get; init; }
    public required string? Workspace { get; init; }
}
