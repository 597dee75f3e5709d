namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>Names of models whose sealed file is not what the manifest says of it.</summary>
internal static class Misfits
{
    /// <summary>More is demanded than the report shows.</summary>
    public const string Demanding = "demanding";

    /// <summary>It is in parts, and should run inside.</summary>
    public const string InOnePiece = "in-one-piece";

    /// <summary>It is whole, and should run in parts.</summary>
    public const string Whole = "whole";

    /// <summary>It is in parts, and the manifest does not say so.</summary>
    public const string Unstated = "unstated";
}
