using System.Buffers;

namespace Cloister.Serving.Repository;

/// <summary>Names of models: they become parts of addresses and of file names in the store.</summary>
internal static class ModelName
{
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>One to 128 letters, digits, '-', '_' and '.', not beginning with a '.'.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 128 && name[0] != '.' && !name.AsSpan().ContainsAnyExcept(Allowed);
}
