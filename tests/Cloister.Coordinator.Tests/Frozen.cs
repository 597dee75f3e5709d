using System.Security.Cryptography;

namespace Cloister.Coordinator.Tests;

/// <summary>Guards a format: the bytes of a fixed object never change. A change needs a new version number and a migration.</summary>
internal static class Frozen
{
    public static void Equal(string sha256, byte[] bytes)
    {
        string actual = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Assert.True(sha256 == actual, $"The format changed: {actual} instead of {sha256}");
    }
}
