namespace Cloister.Images.Build;

/// <summary>One input of an image.</summary>
/// <param name="Kind">What it is: <c>package</c>, <c>directory</c>, <c>archive</c>, <c>programs</c>, <c>kernel</c>, <c>tool</c>, <c>file</c>.</param>
/// <param name="Name">Its name, as the definition or the packages' index has it.</param>
/// <param name="Version">Its version; empty where it has none.</param>
/// <param name="Sha256">Its digest, lower-case hexadecimal; empty where only its version is known.</param>
public sealed record LockedInput(string Kind, string Name, string Version, string Sha256)
{
    /// <summary>Kind and name, for people.</summary>
    public override string ToString() => $"{Kind} {Name}{(Version.Length > 0 ? " " + Version : "")}{(Sha256.Length > 0 ? $" (SHA-256 {Sha256[..12]})" : "")}";
}
