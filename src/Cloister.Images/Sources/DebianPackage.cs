namespace Cloister.Images.Sources;

/// <summary>A package as apt knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version, with the epoch.</param>
/// <param name="Sha256">Its file's digest, as the signed index states it.</param>
internal sealed record DebianPackage(string Name, string Version, string Sha256);
